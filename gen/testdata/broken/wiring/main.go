// Command wiring imports packages that do not compile and has no entity.
package main

import "github.com/crossfade-db/crossfade/gen/testdata/broken/shop"

func main() {
	orders, err := shop.Open()
	println(orders, err)
}
