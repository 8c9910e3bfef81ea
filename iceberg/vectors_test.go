package iceberg_test

import (
	"fmt"

	"github.com/rowdelta/rowdelta/iceberg"
)

func ExampleDecimal_Scaled() {
	fmt.Println(iceberg.Decimal{Lo: 12345}.Scaled(2))
	fmt.Println(iceberg.Decimal{Hi: -1, Lo: 1<<64 - 7}.Scaled(3))
	fmt.Println(iceberg.Decimal{Hi: 1}.Scaled(0))
	// Output:
	// 123.45
	// -0.007
	// 18446744073709551616
}
