-- One query for each method of tickets.Tickets: a beginning, change it as you like.
-- A method is answered by the query of its name, or of its name and the struct's (Get, GetCustomer).

-- name: CreateTicket :one
insert into tickets_v2 (title)
values (@title)
returning *;

-- name: GetTicket :one
select * from tickets_v2
where id = @id;

-- name: PutTicket :exec
insert into tickets_v2 (id, title)
values (@id, @title)
on conflict (id) do update
set title = excluded.title;

-- name: DeleteTicket :exec
delete from tickets_v2
where id = @id;

-- name: Keys :many
select id from tickets_v2
where (sqlc.narg('after')::bigint is null or id > sqlc.narg('after')::bigint)
order by id
limit sqlc.arg('limit');
