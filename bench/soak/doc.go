// Command soak runs an application at a fixed rate for as long as it is told, while its migration goes up and down the
// ladder, and says whether its memory, its goroutines and its connections stay flat:
//
//	go run ./soak -duration 1h -rate 100
//
// What it prints is what the process measured of itself, after a garbage collection each: the load, the application and
// the worker that copies live in one process. The exit code is 0 if everything is flat and no call failed, 1 if not, or
// if the run was too short to say. Ctrl-C ends it early, with what there is.
//
// It is no measure of speed, and it never touches a database of yours but one that CROSSFADE_DATABASE_URL names.
package main
