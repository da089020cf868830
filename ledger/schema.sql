-- Run by Migrate before the migrations where the schema is not there yet.
create schema if not exists crossfade;
