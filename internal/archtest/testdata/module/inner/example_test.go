package inner_test

func Example() {}
