// Command bench measures what the shim costs, side by side with direct calls and with other tools.
package main

func main() {}
