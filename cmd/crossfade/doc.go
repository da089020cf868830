// Command crossfade is the command line of Crossfade: it creates the ledger,
// generates code, shows where a migration stands, steps tenants up and down the
// ladder, requests work on the data and shows what was found.
//
// It parses arguments, calls the packages of this module and prints what they
// answer. It decides nothing by itself: every rule is package control's, and
// work that needs the application's own code is requested through the ledger
// and done by the worker that the application embeds. It never asks a question
// and waits for an answer, and never prints a password.
package main
