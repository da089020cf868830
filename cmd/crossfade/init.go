package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen/scaffold"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

// setup is what init does, and what it found.
type setup struct {
	dryRun           bool
	noFiles          bool
	dir              string
	entity, from, to string
	salt             string

	files     *files
	found     scaffold.Found
	database  string
	ledger    *ledgerChange
	migration *registration
}

type ledgerChange struct {
	Change string `json:"change"` // created, upgraded or none
	From   int64  `json:"from,omitempty"`
	To     int64  `json:"to,omitempty"`
}

type registration struct {
	Name       string      `json:"name"`
	Entity     string      `json:"entity"`
	From       string      `json:"from"`
	To         string      `json:"to"`
	Salt       string      `json:"salt"`
	Registered bool        `json:"registered"` // by this call
	Default    flags.Stage `json:"default"`
	Epoch      int64       `json:"epoch"`
}

func (a *app) initCommand() *cobra.Command {
	var s setup
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write crossfade.yaml, create or upgrade the ledger, and register a migration",
		Long: `init sets up what is missing, and changes nothing when it runs again.

Inside a Go module it writes crossfade.yaml at the module's root, which names the entities and
their versions to crossfade gen: those with a //crossfade:entity directive, and the versions
that are recognised in folders below them (GORM models, sqlc's packages, code by hand). It
never changes a file that is there. --no-files leaves this out.

Where a database is named it creates the ledger, the tables in the schema "crossfade" that say
who stands where, or upgrades it to the version of this program. Without one it says so. The
DSN must reach the server itself, or a pooler in session mode.

With --entity, --from and --to it registers a migration, whose tenants all stand at old. That
needs the database, and no file is looked at.`,
		Example: `  crossfade init --dry-run
  crossfade init
  crossfade init --entity customers --from v1 --to v2`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.init(cmd.Context(), &s) },
	}
	a.addDatabase(cmd)
	cmd.Flags().BoolVar(&s.dryRun, "dry-run", false, "say what would happen, and change nothing")
	cmd.Flags().BoolVar(&s.noFiles, "no-files", false, "look at no file and write none: the ledger alone")
	cmd.Flags().StringVarP(&s.dir, "dir", "C", "", "a `folder` of the module (default the current one)")
	cmd.Flags().StringVar(&s.entity, "entity", "", "`entity` of a migration to register, such as customers")
	cmd.Flags().StringVar(&s.from, "from", "", "`version` that the migration leads from, such as v1")
	cmd.Flags().StringVar(&s.to, "to", "", "`version` that the migration leads to, such as v2")
	cmd.Flags().StringVar(&s.salt, "salt", "", "spreads tenants over percentages; migrations with one salt move the same tenants first (default the migration's name)")
	return cmd
}

func (a *app) init(ctx context.Context, s *setup) error {
	m, err := s.asked()
	if err != nil {
		return err
	}
	if err := a.initFiles(ctx, s, m.Name != ""); err != nil {
		return err
	}
	if s.files == nil || a.namesDatabase() {
		if err := a.initLedger(ctx, s, m); err != nil {
			return err
		}
	}
	return a.showInit(s)
}

// initFiles writes crossfade.yaml, unless this is about the ledger alone.
func (a *app) initFiles(ctx context.Context, s *setup, registers bool) error {
	if s.noFiles || registers {
		return nil
	}
	plan, found, err := scaffold.Init(s.dir)
	switch {
	case errors.Is(err, scaffold.ErrNoModule) && a.namesDatabase():
		return nil
	case errors.Is(err, scaffold.ErrNoModule):
		return usagef("%w, and no database is named: run it in a Go module to write crossfade.yaml, or name the ledger's database with --database-url or %s", err, databaseVariable)
	case err != nil:
		return err
	}
	s.files, s.found = toFiles(plan, s.dryRun), found
	if !s.dryRun {
		err = plan.Apply(ctx)
	}
	if err == nil && !a.json {
		a.showFound(found)
		a.showFiles(s.files)
	}
	return err
}

func (a *app) initLedger(ctx context.Context, s *setup, m versions.Migration) error {
	config, dsn, err := a.database()
	if err != nil {
		return err
	}
	s.database = config.ConnConfig.Database
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("open a pool of connections: %w", err)
	}
	defer pool.Close()
	store := ledger.New(pool, nil)
	if err := s.migrate(ctx, store, dsn); err != nil {
		return err
	}
	if m.Name == "" {
		return nil
	}
	return s.register(ctx, store, m)
}

// asked returns the migration to register; without a name there is none.
func (s *setup) asked() (versions.Migration, error) {
	if s.entity == "" && s.from == "" && s.to == "" {
		if s.salt != "" {
			return versions.Migration{}, usagef("--salt goes with --entity, --from and --to")
		}
		return versions.Migration{}, nil
	}
	if s.entity == "" || s.from == "" || s.to == "" {
		return versions.Migration{}, usagef("to register a migration, give --entity, --from and --to")
	}
	registry, err := versions.New(s.entity, s.from, s.to)
	if err != nil {
		return versions.Migration{}, err
	}
	return registry.Last()
}

func (s *setup) migrate(ctx context.Context, store *ledger.Store, dsn string) error {
	err := store.Check(ctx)
	version, ok := errors.AsType[*ledger.VersionError](err)
	switch {
	case err == nil:
		s.ledger = &ledgerChange{Change: "none"}
		return nil
	case !ok || version.Have > version.Want:
		return err
	case version.Absent():
		s.ledger = &ledgerChange{Change: "created", To: version.Want}
	default:
		s.ledger = &ledgerChange{Change: "upgraded", From: version.Have, To: version.Want}
	}
	if s.dryRun {
		return nil
	}
	return ledger.Migrate(ctx, dsn)
}

func (s *setup) register(ctx context.Context, store *ledger.Store, m versions.Migration) error {
	salt := s.salt
	if salt == "" {
		salt = m.Name
	}
	s.migration = &registration{
		Name: m.Name, Entity: m.Entity, From: m.From, To: m.To, Salt: salt, Registered: true, Default: flags.Old, Epoch: 1,
	}
	if s.dryRun && s.ledger.Change == "created" {
		return nil
	}
	have, err := store.Migration(ctx, m.Name)
	switch {
	case is[*ledger.UnknownMigrationError](err) && s.dryRun:
		return nil
	case is[*ledger.UnknownMigrationError](err):
		_, err = store.Register(ctx, m, s.salt)
		return err
	case err != nil:
		return err
	case have.Migration != m || have.Salt != salt:
		return &ledger.DefinitionError{Have: have.Migration, Want: m, HaveSalt: have.Salt, WantSalt: salt}
	}
	policy, err := store.Policy(ctx, m.Name)
	s.migration.Registered, s.migration.Default, s.migration.Epoch = false, policy.Default, policy.Epoch
	return err
}

func (a *app) showInit(s *setup) error {
	if a.json {
		out := struct {
			Database  string          `json:"database,omitempty"`
			DryRun    bool            `json:"dry_run"`
			Ledger    *ledgerChange   `json:"ledger,omitempty"`
			Migration *registration   `json:"migration,omitempty"`
			Found     *scaffold.Found `json:"found,omitempty"`
			*files
		}{Database: s.database, DryRun: s.dryRun, Ledger: s.ledger, Migration: s.migration, files: s.files}
		if s.files != nil {
			out.Found = &s.found
		}
		return a.document(out)
	}
	a.showLedger(s)
	switch {
	case s.files != nil:
		a.showSteps(s.files)
	case !s.dryRun:
		a.printf("\nNext:\n%s", nextSteps(s.migration))
	}
	return nil
}

func (a *app) showLedger(s *setup) {
	would, was := "", ""
	if s.dryRun {
		would, was = "would be ", "; nothing was changed"
	}
	switch {
	case s.ledger == nil:
		a.printf("ledger: left out, since no database is named: --database-url or %s\n", databaseVariable)
		return
	case s.ledger.Change == "created":
		a.printf("ledger: %screated in database %s, version %d%s\n", would, inLine(s.database), s.ledger.To, was)
	case s.ledger.Change == "upgraded":
		a.printf("ledger: %supgraded in database %s, version %d to %d%s\n", would, inLine(s.database), s.ledger.From, s.ledger.To, was)
	default:
		a.printf("ledger: up to date in database %s\n", inLine(s.database))
	}
	if m := s.migration; m != nil && m.Registered {
		a.printf("%s: %sregistered, %s from %s to %s, everybody at old%s\n", m.Name, would, m.Entity, m.From, m.To, was)
	} else if m != nil {
		a.printf("%s: registered before, epoch %d, default %s\n", m.Name, m.Epoch, m.Default)
	}
}

// nextSteps says how to go on.
func nextSteps(m *registration) string {
	if m == nil {
		return "  crossfade init --entity customers --from v1 --to v2   register a migration\n" +
			"  crossfade status                                      show those that are registered\n"
	}
	if !m.Registered {
		return fmt.Sprintf("  crossfade status %s   see who stands where, and what blocks the next step\n", m.Name)
	}
	var text strings.Builder
	for _, step := range [][2]string{
		{"crossfade gen ./...", "write the routed repository of " + m.Entity + "; wire it in with control.Join and backfill.New"},
		{"crossfade status " + m.Name, "see who stands where, and what blocks the next step"},
		{"crossfade step " + m.Name + " dual", "write both sides, for everybody, or for --percent 5 of the tenants"},
		{"crossfade backfill " + m.Name, "copy every key"},
		{"crossfade verify " + m.Name, "compare every key; then step to shadow"},
	} {
		fmt.Fprintf(&text, "  %-*s   %s\n", len("crossfade step  dual")+len(m.Name), step[0], step[1])
	}
	return text.String()
}
