create table tasks_v2 (
    tenant_id  uuid not null,
    id         uuid not null unique,
    project_id uuid not null,
    title      text not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references task_projects (tenant_id, id)
);
