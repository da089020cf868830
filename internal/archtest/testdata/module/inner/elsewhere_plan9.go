package inner

import "os"

var _ = os.Args
