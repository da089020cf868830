// Package repo routes the calls of a generated repository to the old side, the
// new side or both, as the decision of a flag says.
//
// Generated methods are one-line calls into [Read], [Lock], [Write],
// [WriteResult], [Create], [Seq] and [Each]; all behaviour lives here, where a
// breakpoint can stop it. What a stage does stands in one table
// ([flags.Stage.Plan]).
//
// A [Backend] runs the sides: package repo/postgres does it for two sides in
// one PostgreSQL database, with fence, key locks and atomic dual writes;
// [NewValues] does it for plain Go values, and says what is then not promised.
//
// The side without authority never changes what a caller of a read gets, nor
// when: its answer is read and compared afterwards by the bounded pool of a
// [Comparer]. Its panics, errors and delays are counted and recorded.
//
// Under a share of keys an operation of one key goes by that key's bucket, and
// one of several keys, or of keys that are not known yet, by the lower of the
// two stages. Between shadow and live a list takes each row's side in one
// snapshot: it is the old side's list, in which the rows at live are the new
// side's. That holds for answers that are slices of the entity's values; every
// other answer (a count, a sum, keys alone, a struct around a list) is the old
// side's, as at shadow, and so is a list where the new side errs or, in a
// transaction of the application, while others keep committing.
//
// The package imports no database driver and never decides a stage.
package repo
