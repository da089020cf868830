package gen

import "go/types"

type gormPlan struct{}

func (c *versionCode) gorm()            {}
func (c *versionCode) gormBody() string { return "" }

func (c *versionCode) filledByGORM(*conversion, sourceField) bool { return false }

func isGORMIgnored(tag string) bool { return false }

var _ types.Type
