create table articles_v2 (
    tenant_id uuid   not null,
    id        bigint not null,
    title     text   not null,
    reads     bigint not null,
    primary key (tenant_id, id)
);

create index articles_v2_reads on articles_v2 (tenant_id, reads desc, id);

-- Version 1 cannot hold more, and the way back leads there. Drop both when it is retired.
alter table articles_v2
    add constraint articles_v2_id_as_in_v1 check (id between -2147483648 and 2147483647),
    add constraint articles_v2_reads_as_in_v1 check (reads between -2147483648 and 2147483647);
