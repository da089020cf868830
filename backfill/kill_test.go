package backfill_test

const childEnv = "BACKFILL_TEST_CHILD"

func child() int { return 0 }
