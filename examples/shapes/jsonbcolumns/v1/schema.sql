create table venues_v1 (
    tenant_id uuid  not null,
    id        uuid  not null,
    data      jsonb not null,
    primary key (tenant_id, id)
);

create index venues_v1_city on venues_v1 (tenant_id, (data ->> 'city'));
