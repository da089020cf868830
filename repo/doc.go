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
// The package imports no database driver and never decides a stage.
package repo
