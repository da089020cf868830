create table task_projects (
    id        uuid not null primary key,
    tenant_id uuid not null,
    name      text not null,
    unique (tenant_id, id)
);

create table tasks_v1 (
    id         uuid not null primary key,
    project_id uuid not null references task_projects (id),
    title      text not null
);
