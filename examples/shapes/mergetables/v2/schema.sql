create table accounts_v2 (
    tenant_id  uuid not null,
    id         uuid not null,
    email      text not null,
    language   text,
    newsletter boolean,
    primary key (tenant_id, id),
    constraint accounts_v2_settings check ((language is null) = (newsletter is null))
);
