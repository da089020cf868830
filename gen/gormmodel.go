package gen

import (
	"go/types"
	"reflect"
	"strings"
)

// gormField is one field of a GORM model, those of embedded structs included.
type gormField struct {
	name, path string
	typ        types.Type
	column     string
	primary    bool
	writable   bool // updates may change it
	relation   relation
	order      string // of a list of children: their primary key
	foreignKey string // as the tag has it
}

// relation says what another model is to the one that holds it.
type relation int

const (
	noRelation relation = iota
	belongsTo
	hasOne
	hasMany
)

// gormTag is the gorm key of a struct tag, its names in capitals.
type gormTag map[string]string

func parseGORMTag(tag string) gormTag {
	settings := gormTag{}
	for _, item := range strings.Split(reflect.StructTag(tag).Get("gorm"), ";") {
		name, value, _ := strings.Cut(item, ":")
		settings[strings.ToUpper(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	return settings
}

func (t gormTag) has(names ...string) bool {
	for _, name := range names {
		if _, ok := t[name]; ok {
			return true
		}
	}
	return false
}

// isGORMIgnored reports whether GORM leaves a field alone.
func isGORMIgnored(tag string) bool {
	settings := parseGORMTag(tag)
	value, ok := settings["-"]
	return ok && (value == "" || strings.EqualFold(value, "all"))
}

// gormFields lists the fields of a model. Without one that is tagged, ID is the
// primary key.
func gormFields(model types.Type) []gormField {
	fields := gormFieldsIn(model, "", "", model)
	for _, f := range fields {
		if f.primary {
			return fields
		}
	}
	for i := range fields {
		if agree(fields[i].name, "ID") {
			fields[i].primary = true
			break
		}
	}
	return fields
}

func gormFieldsIn(t types.Type, path, prefix string, model types.Type) []gormField {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	var fields []gormField
	for i := range s.NumFields() {
		f, tag := s.Field(i), parseGORMTag(s.Tag(i))
		if isGORMIgnored(s.Tag(i)) || !f.Exported() && !f.Embedded() {
			continue
		}
		here := path + "." + f.Name()
		if inner, _ := deref(f.Type()); tag.has("EMBEDDED") || f.Embedded() && isOpenStruct(inner) && !isOpaque(inner) {
			fields = append(fields, gormFieldsIn(inner, here, prefix+tag["EMBEDDEDPREFIX"], model)...)
			continue
		}
		g := gormField{name: f.Name(), path: here, typ: f.Type(), primary: tag.has("PRIMARYKEY", "PRIMARY_KEY"), column: tag["COLUMN"]}
		if g.column == "" {
			g.column = gormColumn(f.Name())
		}
		g.column = prefix + g.column
		write := strings.ToLower(tag["<-"])
		g.writable = !tag.has("->") && write != "create" && write != "false" || tag.has("<-") && (write == "" || write == "update")
		g.foreignKey = tag["FOREIGNKEY"]
		if !tag.has("SERIALIZER", "TYPE") {
			g.relation, g.order = relationOf(f, tag, model)
		}
		fields = append(fields, g)
	}
	return fields
}

// relationOf tells what the model in a field is to the model that holds it, and
// by which columns a list of it is ordered.
func relationOf(f *types.Var, tag gormTag, model types.Type) (relation, string) {
	t := f.Type()
	slice, many := t.Underlying().(*types.Slice)
	if many {
		t = slice.Elem()
	}
	t, _ = deref(t)
	if _, ok := t.Underlying().(*types.Struct); !ok || typeName(t) == nil || isTime(t) || isTimeLike(t) || isOpaque(t) || hasScan(t) {
		return noRelation, ""
	}
	if many {
		var order []string
		for _, g := range gormFieldsOnce(t) {
			if g.primary {
				order = append(order, g.column)
			}
		}
		return hasMany, strings.Join(order, ", ")
	}
	key := tag["FOREIGNKEY"]
	if key == "" {
		key = f.Name() + "ID"
	}
	if s, ok := model.Underlying().(*types.Struct); ok {
		for own := range s.Fields() {
			if agree(own.Name(), key) {
				return belongsTo, ""
			}
		}
	}
	return hasOne, ""
}

// gormFieldsOnce lists the plain fields of a model and follows none.
func gormFieldsOnce(t types.Type) []gormField {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	var fields, named []gormField
	for i := range s.NumFields() {
		f, tag := s.Field(i), parseGORMTag(s.Tag(i))
		if f.Embedded() && isOpenStruct(f.Type()) {
			fields = append(fields, gormFieldsOnce(f.Type())...)
			continue
		}
		g := gormField{name: f.Name(), column: tag["COLUMN"], primary: tag.has("PRIMARYKEY", "PRIMARY_KEY")}
		if g.column == "" {
			g.column = gormColumn(f.Name())
		}
		fields = append(fields, g)
	}
	for _, g := range fields {
		if g.primary {
			return fields
		}
		if agree(g.name, "ID") {
			g.primary = true
			named = append(named, g)
		}
	}
	return named
}

// hasScan reports whether a type reads itself from a column.
func hasScan(t types.Type) bool {
	return methodOf(types.NewPointer(t), "Scan") != nil || methodOf(types.NewPointer(t), "GormDataType") != nil
}

// gormInitialisms are the words that GORM's naming strategy takes as one.
var gormInitialisms = strings.NewReplacer(
	"API", "Api", "ASCII", "Ascii", "CPU", "Cpu", "CSS", "Css", "DNS", "Dns", "EOF", "Eof", "GUID", "Guid", "HTML", "Html", "HTTP", "Http",
	"HTTPS", "Https", "ID", "Id", "IP", "Ip", "JSON", "Json", "LHS", "Lhs", "QPS", "Qps", "RAM", "Ram", "RHS", "Rhs", "RPC", "Rpc", "SLA", "Sla",
	"SMTP", "Smtp", "SSH", "Ssh", "TLS", "Tls", "TTL", "Ttl", "UID", "Uid", "UI", "Ui", "UUID", "Uuid", "URI", "Uri", "URL", "Url", "UTF8", "Utf8",
	"VM", "Vm", "XML", "Xml", "XSRF", "Xsrf", "XSS", "Xss")

// gormColumn is the column of a field by GORM's own naming strategy.
func gormColumn(field string) string {
	value := gormInitialisms.Replace(field)
	upper := func(i int) bool { return i >= 0 && i < len(value) && value[i] >= 'A' && value[i] <= 'Z' }
	digit := func(i int) bool { return i < len(value) && value[i] >= '0' && value[i] <= '9' }
	var out strings.Builder
	for i := range len(value) {
		last := i == len(value)-1
		switch {
		case !upper(i):
			out.WriteByte(value[i])
			continue
		case last && !upper(i-1) && len(value) > 1:
			out.WriteByte('_')
		case last, upper(i-1) && (upper(i+1) || digit(i+1)):
		case i > 0 && value[i-1] != '_' && value[i+1] != '_':
			out.WriteByte('_')
		}
		out.WriteByte(value[i] + 'a' - 'A')
	}
	return out.String()
}
