create table comments_v2 (
    tenant_id  uuid        not null,
    id         uuid        not null,
    post_id    uuid,
    photo_id   uuid,
    body       text        not null,
    written_at timestamptz not null,
    primary key (tenant_id, id),
    constraint comments_v2_subject check (num_nonnulls(post_id, photo_id) = 1)
);

create index comments_v2_post on comments_v2 (tenant_id, post_id) where post_id is not null;
create index comments_v2_photo on comments_v2 (tenant_id, photo_id) where photo_id is not null;
