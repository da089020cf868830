package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/gen/scaffold"
)

func (a *app) newVersionCommand() *cobra.Command {
	var dir, over string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "new-version ENTITY VERSION",
		Short: "Begin a version of an entity: its package, its SQL and its place in crossfade.yaml",
		Long: `new-version adds a version behind those that crossfade.yaml names of the entity, and makes a
package for it, in the folder VERSION below the entity's:

  --over sqlc   schema.sql and queries.sql, made from the interface's directives and the
                entity's struct, with one query for each method; a block in sqlc.yaml; doc.go
  --over gorm   model.go with a GORM model, made from the entity's struct
  --over hand   repository.go with New and a method for each of the interface's

These are beginnings to change. No file that is there is overwritten; crossfade.yaml and
sqlc.yaml are added to, and keep their comments and order. What is there already is left
alone: run it again to complete what was interrupted. An entity whose annotated interface is
not in crossfade.yaml yet is added to it.`,
		Example: `  crossfade new-version customers v2
  crossfade new-version customers v1 --over gorm
  crossfade new-version customers v3 --over hand --dry-run`,
		Args: exactly("ENTITY", "VERSION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.newVersion(cmd.Context(), dir, args[0], args[1], over, dryRun)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().StringVar(&over, "over", "", "what the version is over: sqlc, gorm or hand (default sqlc)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be written, and write nothing")
	cmd.Flags().StringVarP(&dir, "dir", "C", "", "a `folder` of the module (default the current one)")
	a.completeFlag(cmd, "over", func(context.Context, []string) []string { return []string{scaffold.SQLC, scaffold.GORM, scaffold.Hand} })
	return cmd
}

func (a *app) newVersion(ctx context.Context, dir, entity, version, over string, dryRun bool) error {
	plan, err := scaffold.NewVersion(dir, entity, version, over)
	if err != nil {
		return err
	}
	if !dryRun {
		if err := plan.Apply(ctx); err != nil {
			return err
		}
	}
	made := toFiles(plan, dryRun)
	if a.json {
		return a.document(struct {
			DryRun bool `json:"dry_run"`
			*files
		}{dryRun, made})
	}
	a.showFiles(made)
	a.showSteps(made)
	return nil
}
