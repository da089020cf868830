package gen

import (
	"fmt"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// gormPlan is what is generated over a GORM model: the methods by which keys
// are copied.
type gormPlan struct {
	fields   []gormField
	where    []gormField // the primary key, and the tenant
	get, del *methodPlan
	put      *method
	toRow    *valueCopy
	keys     *method
	keyParts []gormField // of the keys that keys= returns, in its order
}

// gorm decides a version over a GORM model.
func (c *versionCode) gorm() {
	obj, ok := c.v.object(c.v.GORM.Model.Value).(*types.TypeName)
	if !ok || obj.IsAlias() {
		c.g.ps.add(c.v.GORM.Model.Pos, c.v.where, "gorm: model: expected a struct type of %s, and %s is none%s", c.v.Package, c.v.GORM.Model, c.nearModel())
		return
	}
	c.model = obj.Type()
	if _, ok := c.model.Underlying().(*types.Struct); !ok {
		c.g.ps.add(c.v.GORM.Model.Pos, c.v.where, "gorm: model: %s is no struct", obj.Name())
		return
	}
	p := &c.gormPlan
	p.fields = gormFields(c.model)
	p.where = c.keyFields()
	if len(p.where) == 0 {
		c.g.ps.add(c.pkg.Fset.Position(obj.Pos()), c.v.where, "model %s has no primary key: tag its fields `gorm:\"primaryKey\"`", obj.Name())
		return
	}
	copier := &c.v.entity.copier
	for _, m := range c.wanted() {
		switch m {
		case copier.get:
			p.get = c.gormGet(m)
		case copier.put:
			c.gormPut(m)
		case copier.del:
			p.del = c.gormByKey(m)
		case copier.keys:
			c.gormKeys(m)
		default:
			c.g.problem(m, "version %s is over GORM, where get, put, delete and keys are generated: write the method in package %s: %s", c.v.Name, c.v.pkg.Name, c.signatureOf(m))
		}
	}
	c.needNotFound()
}

func (c *versionCode) nearModel() string {
	var names []string
	for _, name := range c.v.pkg.Types.Scope().Names() {
		if obj, ok := c.v.object(name).(*types.TypeName); ok && !obj.IsAlias() {
			if _, ok := obj.Type().Underlying().(*types.Struct); ok {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return ": it declares no struct"
	}
	return ": it has " + strings.Join(names, ", ")
}

// keyFields are the model's primary key and the column of its tenant.
func (c *versionCode) keyFields() []gormField {
	var list []gormField
	for _, f := range c.gormPlan.fields {
		if f.primary || !c.v.entity.tenant.none && c.isTenant(f) {
			list = append(list, f)
		}
	}
	return list
}

// isTenant reports whether a column holds the tenant.
func (c *versionCode) isTenant(f gormField) bool {
	name := plainName(f.name)
	return !c.v.entity.tenant.none && (name == "tenant" || name == "tenantid" || name == plainName(c.v.entity.tenant.param))
}

// gormByKey decides the condition of a method that is about one key.
func (c *versionCode) gormByKey(m *method) *methodPlan {
	q := &query{name: "of model " + c.v.GORM.Model.Value, command: "one"}
	for _, f := range c.gormPlan.where {
		q.params = append(q.params, target{f.path[1:], f.typ})
	}
	p := &methodPlan{m: m, q: q, elem: -1}
	sources := c.sources(m, -1)
	for i, f := range c.gormPlan.where {
		s := pickSource(sources, c.plain(f.name))
		if s == nil || !sameOrConverted(s.typ, f.typ) {
			c.g.problem(m, "version %s: nothing given to it agrees with %s %s, which is in the primary key of model %s: write the method in package %s: %s",
				c.v.Name, f.name, c.say(f.typ), c.v.GORM.Model, c.v.pkg.Name, c.signatureOf(m))
			return nil
		}
		convert, _ := copied(s.typ, f.typ)
		p.args = append(p.args, argument{target: q.params[i], param: s.param, path: s.path, convert: convert})
	}
	for i, param := range m.params {
		if !slices.ContainsFunc(p.args, func(a argument) bool { return a.param == i }) {
			c.g.problem(m, "version %s: model %s has no field in its primary key for the parameter %s: write the method in package %s: %s",
				c.v.Name, c.v.GORM.Model, param.name, c.v.pkg.Name, c.signatureOf(m))
			return nil
		}
	}
	return p
}

func sameOrConverted(from, to types.Type) bool {
	_, ok := copied(from, to)
	return ok
}

func (c *versionCode) gormGet(m *method) *methodPlan {
	p := c.gormByKey(m)
	if p == nil {
		return nil
	}
	p.q.row = c.model
	if !c.resultOf(p) {
		return nil
	}
	return p
}

func (c *versionCode) gormPut(m *method) {
	p := &c.gormPlan
	from := m.params[m.args()[0]].typ // putRole has seen it
	if m.variadic || len(m.results) > 0 {
		c.g.problem(m, "version %s: it takes or returns more than one value: write the method in package %s: %s", c.v.Name, c.v.pkg.Name, c.signatureOf(m))
		return
	}
	p.put = m
	if p.toRow = c.valueCopy(from, c.model); p.toRow == nil {
		name := "RowFrom" + upperFirst(c.noun(m))
		p.toRow = &valueCopy{from: from, to: c.model, mapper: c.mapperMethod(name, []target{{"value", from}}, []target{{"row", c.model}},
			fmt.Sprintf("%s returns the row of a %s.", name, c.say(from)))}
	}
}

// gormKeys decides how the keys of a tenant are walked.
func (c *versionCode) gormKeys(m *method) {
	p := &c.gormPlan
	key := c.v.entity.key
	for _, part := range key.parts {
		var found *gormField
		for i, f := range p.where {
			own := f.primary && !c.isTenant(f)
			if own && (part.field == "" || agree(part.field, f.name)) && sameOrConverted(part.typ, f.typ) {
				found = &p.where[i]
			}
		}
		if found == nil {
			c.g.problem(m, "version %s: the primary key of model %s is not of type %s: write the method in package %s: %s",
				c.v.Name, c.v.GORM.Model, c.say(key.typ), c.v.pkg.Name, c.signatureOf(m))
			return
		}
		p.keyParts = append(p.keyParts, *found)
	}
	for _, f := range p.where {
		if f.primary && !c.isTenant(f) && !slices.ContainsFunc(p.keyParts, func(k gormField) bool { return k.path == f.path }) {
			c.g.problem(m, "version %s: %s is in the primary key of model %s, and not in %s: write the method in package %s: %s",
				c.v.Name, f.name, c.v.GORM.Model, c.say(key.typ), c.v.pkg.Name, c.signatureOf(m))
			return
		}
	}
	p.keys = m
}

// foreignKeys are the fields by which child, a model that belongs to owner or to
// one that does, refers to what holds it: GORM fills them in.
func (c *versionCode) foreignKeys(owner, child types.Type, seen map[types.Type]bool) map[string]bool {
	keys := map[string]bool{}
	if seen[owner] {
		return keys
	}
	seen[owner] = true
	fields := gormFields(owner)
	for _, f := range fields {
		if f.relation != hasMany && f.relation != hasOne {
			continue
		}
		t := f.typ
		if slice, ok := t.Underlying().(*types.Slice); ok {
			t = slice.Elem()
		}
		t, _ = deref(t)
		if !types.Identical(t, child) {
			for name := range c.foreignKeys(t, child, seen) {
				keys[name] = true
			}
			continue
		}
		for _, name := range strings.Split(f.foreignKey, ",") {
			keys[plainName(strings.TrimSpace(name))] = true
		}
		for _, own := range fields {
			if own.primary && f.foreignKey == "" {
				keys[plainName(typeName(owner).Name()+own.name)] = true
			}
		}
	}
	return keys
}

// filledByGORM reports whether a field of a model needs no value: GORM keeps
// soft deletes, times of its own, and what children refer to their owner by.
func (c *versionCode) filledByGORM(conv *conversion, f sourceField) bool {
	if c.model == nil || !c.isRow(conv.to) {
		return false
	}
	named, ok := f.typ.(*types.Named)
	if c.foreignKeys(c.model, conv.to, map[types.Type]bool{})[plainName(f.name)] {
		return true
	}
	own := isTime(f.typ) && (f.name == "CreatedAt" || f.name == "UpdatedAt")
	return own || ok && named.Obj().Pkg() != nil && named.Obj().Name() == "DeletedAt" && isGORMType(named)
}

func (c *versionCode) gormBody() string {
	var out strings.Builder
	gorm, iface := c.imports.std(gormPath), c.iface()
	mapper, value := "", ""
	if len(c.mapper) > 0 {
		mapper, value = "m Mapper\n", ", m: "+c.mappingValue()
	}
	fmt.Fprintf(&out, "\n// Repository is %s over GORM's model %s. Methods of it that this package\n"+
		"// declares elsewhere are not generated.\ntype Repository struct {\norm *%s.DB\n%s}\n\nvar _ %s = (*Repository)(nil)\n",
		iface, c.v.GORM.Model, gorm, mapper, iface)
	s := newScope(c.imports)
	orm, opener, db := s.local("orm"), s.local("opener"), s.local("db")
	if c.v.object("New") == nil {
		fmt.Fprintf(&out, "\n// New returns the repository on a session: on a transaction in progress, or a pool.\n"+
			"func New(%s *%s.DB) %s {\nreturn &Repository{orm: %s%s}\n}\n", orm, gorm, iface, orm, value)
		if c.v.object("Factory") == nil {
			postgres := c.imports.std(postgresPath)
			fmt.Fprintf(&out, "\n// Factory returns what makes a side of a migration: the repository on a handle.\n"+
				"func Factory(%s *%s.Opener) %s.Factory[%s] {\nreturn func(%s %s.DBTX) %s { return New(%s.DB(%s)) }\n}\n",
				opener, c.imports.std(gormtxPath), postgres, iface, db, postgres, iface, opener, db)
		}
	}
	out.WriteString(c.mapperCode())
	for _, m := range c.v.entity.methods {
		p := &c.gormPlan
		switch {
		case p.get != nil && m == p.get.m:
			out.WriteString(c.gormGetCode())
		case p.put == m:
			out.WriteString(c.gormPutCode())
		case p.del != nil && m == p.del.m:
			out.WriteString(c.gormDeleteCode())
		case p.keys == m:
			out.WriteString(c.gormKeysCode())
		}
	}
	out.WriteString(c.conversionsCode())
	return out.String()
}

// gormMethod begins a method.
func (c *versionCode) gormMethod(p *methodPlan, does string) *sqlcMethod {
	w := &sqlcMethod{versionCode: c, methodPlan: p, s: newScope(c.imports)}
	w.head(p.m)
	w.printf("\n%sfunc (%s *Repository) %s {\n", comment(p.m.name+" "+does), w.recv, w.declaration())
	return w
}

// session begins a statement.
func (w *sqlcMethod) session() string { return fmt.Sprintf("%s.orm.WithContext(%s)", w.recv, w.ctx) }

// whereKey is the condition of the statement about one key.
func (w *sqlcMethod) whereKey() string {
	var conditions, values []string
	for i, f := range w.gormPlan.where {
		conditions = append(conditions, f.column+" = ?")
		values = append(values, w.argument(w.args[i], func(i int) string { return w.params[i] }, nil))
	}
	return fmt.Sprintf(".Where(%q, %s)", strings.Join(conditions, " AND "), strings.Join(values, ", "))
}

func (c *versionCode) gormGetCode() string {
	w := c.gormMethod(c.gormPlan.get, "reads the "+typeName(c.model).Name()+", with all that is associated with it.")
	row := w.s.local("row")
	preload := ""
	for _, f := range c.gormPlan.fields {
		switch {
		case f.relation == hasMany && f.order != "":
			db := w.s.inner().local("db")
			gorm := c.imports.std(gormPath)
			preload += fmt.Sprintf(".\nPreload(%q, func(%s *%s.DB) *%s.DB { return %s.Order(%q) })", f.path[1:], db, gorm, gorm, db, f.order)
		case f.relation != noRelation:
			preload += fmt.Sprintf(".\nPreload(%q)", f.path[1:])
		}
	}
	if preload != "" {
		preload += ".\n"
	} else {
		preload = "."
	}
	w.printf("var %s %s\n%s := %s%s%s.Take(&%s).Error\n", row, w.show(c.model), w.err, w.session(), preload, strings.TrimPrefix(w.whereKey(), "."), row)
	tell := w.absence(w.failed)
	_, pointer := w.m.results[0].typ.Underlying().(*types.Pointer)
	more := ""
	switch {
	case len(w.m.results) == 2:
		tell, more = fmt.Sprintf("return %snil\n", w.failed), "true, "
	case tell == "" && pointer:
		tell = "return nil, nil\n"
	}
	if tell != "" {
		w.printf("if %s.Is(%s, %s.ErrRecordNotFound) {\n%s}\n", w.imports.std("errors"), w.err, w.imports.std(gormPath), tell)
	}
	w.printf("if %s != nil {\nreturn %s%s\n}\n", w.err, w.failed, w.err)
	w.returnValue(row, more)
	w.printf("}\n")
	return w.out.String()
}

func (c *versionCode) gormPutCode() string {
	p := &c.gormPlan
	w := c.gormMethod(&methodPlan{m: p.put, elem: -1}, "inserts the row or replaces all of it, with all that belongs to it.")
	clause := c.imports.std(clausePath)
	row := w.s.local("row")
	from := w.params[p.put.args()[0]]
	w.out.WriteString(c.convertInto(convertSite{v: p.toRow, from: from, to: row, fresh: true, err: w.err, recv: w.recv, s: w.s}))
	var keys, columns, literals []string
	for _, f := range p.fields {
		switch {
		case f.primary:
			keys = append(keys, fmt.Sprintf("{Name: %q}", f.column))
			literals = append(literals, f.path)
		case f.name == "CreatedAt" && !c.mapped(f):
		case f.relation == noRelation && f.writable:
			columns = append(columns, strconv.Quote(f.column))
		}
	}
	owner := ""
	for _, f := range p.fields {
		if f.relation != hasMany && f.relation != hasOne {
			continue
		}
		if owner == "" {
			owner = w.s.local("owner")
			w.printf("%s", c.ownerCode(owner, literals, func(path string) string { return row + path }))
		}
		w.printf("if %s := %s.Model(&%s).Association(%q).Unscoped().Clear(); %s != nil {\nreturn %s\n}\n", w.err, w.session(), owner, f.path[1:], w.err, w.err)
	}
	update := fmt.Sprintf("DoUpdates: %s.AssignmentColumns([]string{%s}),", clause, strings.Join(columns, ", "))
	if len(columns) == 0 {
		update = "DoNothing: true,"
	}
	w.printf("return %s.Clauses(%s.OnConflict{\nColumns: []%s.Column{%s},\n%s\n}).Create(&%s).Error\n}\n",
		w.session(), clause, clause, strings.Join(keys, ", "), update, row)
	return w.out.String()
}

// ownerCode declares a model that has nothing but its key.
func (c *versionCode) ownerCode(owner string, paths []string, value func(string) string) string {
	var fields, sets []string
	direct := true
	for _, path := range paths {
		direct = direct && hasDirectField(c.model, path[1:])
		fields = append(fields, path[1:]+": "+value(path))
		sets = append(sets, owner+path+" = "+value(path)+"\n")
	}
	if direct {
		return fmt.Sprintf("%s := %s\n", owner, literal(c.show(c.model), fields))
	}
	return fmt.Sprintf("var %s %s\n%s", owner, c.show(c.model), strings.Join(sets, ""))
}

// mapped reports whether a field of the model is given a value by what the
// application saves.
func (c *versionCode) mapped(f gormField) bool {
	v := c.gormPlan.toRow
	return v.conv == nil || slices.ContainsFunc(v.conv.fields, func(own fieldCopy) bool { return own.name == f.path })
}

func (c *versionCode) gormDeleteCode() string {
	w := c.gormMethod(c.gormPlan.del, "deletes the row, or marks it as deleted where the model does so.")
	var related []string
	for _, f := range c.gormPlan.fields {
		if f.relation == hasMany || f.relation == hasOne {
			related = append(related, strconv.Quote(f.path[1:]))
		}
	}
	done, row := w.s.local("done"), w.show(c.model)+"{}"
	selected := ""
	if len(related) > 0 {
		owner := w.s.local("owner")
		var paths []string
		values := map[string]string{}
		for i, f := range c.gormPlan.where {
			paths = append(paths, f.path)
			values[f.path] = w.argument(w.args[i], func(i int) string { return w.params[i] }, nil)
		}
		w.printf("%s", c.ownerCode(owner, paths, func(path string) string { return values[path] }))
		row, selected = owner, ".Select("+strings.Join(related, ", ")+")"
	}
	w.printf("%s := %s%s%s.Delete(&%s)\n", done, w.session(), selected, w.whereKey(), row)
	if tell := w.absence(""); tell != "" {
		w.printf("if %s.Error == nil && %s.RowsAffected == 0 {\n%s}\n", done, done, tell)
	}
	w.printf("return %s.Error\n}\n", done)
	return w.out.String()
}

func (c *versionCode) gormKeysCode() string {
	m := c.gormPlan.keys
	w := c.gormMethod(&methodPlan{m: m, elem: -1}, "walks the primary keys in ascending order.")
	args := m.args()
	after, limit := w.params[args[0]], w.params[args[1]]
	statement := w.s.local("query")
	w.printf("%s := %s.Model(&%s{})", statement, w.session(), w.show(c.model))
	for _, f := range c.gormPlan.where {
		if c.isTenant(f) && m.tenantParam() >= 0 {
			w.printf(".Where(%q, %s)", f.column+" = ?", w.params[m.tenantParam()])
		}
	}
	var columns, marks, values []string
	for i, f := range c.gormPlan.keyParts {
		value := "*" + after
		if field := c.v.entity.key.parts[i].field; field != "" {
			value = after + "." + field
		}
		columns, marks, values = append(columns, f.column), append(marks, "?"), append(values, value)
	}
	left, right := columns[0], "?"
	if len(columns) > 1 {
		left, right = "("+strings.Join(columns, ", ")+")", "("+strings.Join(marks, ", ")+")"
	}
	w.printf("\nif %s != nil {\n%s = %s.Where(%q, %s)\n}\n", after, statement, statement, left+" > "+right, strings.Join(values, ", "))
	ordered := fmt.Sprintf("%s.Order(%q).Limit(%s)", statement, strings.Join(columns, ", "), limit)
	keys := w.s.local("keys")
	if c.v.entity.key.parts[0].field == "" {
		w.printf("var %s %s\n%s := %s.Pluck(%q, &%s).Error\nreturn %s, %s\n}\n", keys, w.show(m.results[0].typ), w.err, ordered, columns[0], keys, keys, w.err)
		return w.out.String()
	}
	rows, i, row := w.s.local("rows"), w.s.local("i"), w.s.local("row")
	var fields []string
	for n, f := range c.gormPlan.keyParts {
		part := c.v.entity.key.parts[n]
		value := row + f.path
		if convert, _ := copied(f.typ, part.typ); convert {
			value = fmt.Sprintf("%s(%s)", w.typeConversion(part.typ), value)
		}
		fields = append(fields, part.field+": "+value)
	}
	w.printf("var %s []%s\nif %s := %s.Select(%s).Find(&%s).Error; %s != nil {\nreturn nil, %s\n}\n", rows, w.show(c.model), w.err, ordered,
		quoted(columns), rows, w.err, w.err)
	w.printf("%s := make(%s, len(%s))\nfor %s, %s := range %s {\n%s[%s] = %s\n}\nreturn %s, nil\n}\n", keys, w.show(m.results[0].typ), rows,
		i, row, rows, keys, i, literal(w.show(c.v.entity.key.typ), fields), keys)
	return w.out.String()
}

func quoted(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = strconv.Quote(name)
	}
	return strings.Join(list, ", ")
}
