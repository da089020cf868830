create function owning_tenant() returns uuid immutable language sql as
    $$ select '00000000-0000-4000-8000-000000000001'::uuid $$;

create table labels_v1 (
    id   uuid not null primary key,
    name text not null unique
);
