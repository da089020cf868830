-- name: Customer :one
select c.tenant_id, c.id, c.first_name, c.last_name, c.email, c.balance, c.updated_at,
       a.street, a.city, a.postal_code, a.country
from quickstart_v2.customers c
left join quickstart_v2.customer_addresses a on a.tenant_id = c.tenant_id and a.customer_id = c.id
where c.tenant_id = @tenant_id and c.id = @id;

-- name: LockCustomer :one
select id from quickstart_v2.customers where tenant_id = @tenant_id and id = @id for update;

-- name: Customers :many
select c.tenant_id, c.id, c.first_name, c.last_name, c.email, c.balance, c.updated_at,
       a.street, a.city, a.postal_code, a.country
from quickstart_v2.customers c
left join quickstart_v2.customer_addresses a on a.tenant_id = c.tenant_id and a.customer_id = c.id
where c.tenant_id = @tenant_id and c.id > @after
order by c.id
limit @max_rows;

-- name: SaveCustomer :exec
insert into quickstart_v2.customers (tenant_id, id, first_name, last_name, email, balance, updated_at)
values (@tenant_id, @id, @first_name, @last_name, @email, @balance, @updated_at)
on conflict (tenant_id, id) do update
set first_name = excluded.first_name, last_name = excluded.last_name, email = excluded.email,
    balance = excluded.balance, updated_at = excluded.updated_at;

-- name: SaveAddress :exec
insert into quickstart_v2.customer_addresses (tenant_id, customer_id, street, city, postal_code, country)
values (@tenant_id, @customer_id, @street, @city, @postal_code, @country)
on conflict (tenant_id, customer_id) do update
set street = excluded.street, city = excluded.city, postal_code = excluded.postal_code, country = excluded.country;

-- name: DeleteAddress :exec
delete from quickstart_v2.customer_addresses where tenant_id = @tenant_id and customer_id = @customer_id;

-- name: UpdateEmail :execrows
update quickstart_v2.customers set email = @email, updated_at = @updated_at
where tenant_id = @tenant_id and id = @id;

-- name: AddBalance :one
update quickstart_v2.customers set balance = balance + @amount, updated_at = @updated_at
where tenant_id = @tenant_id and id = @id
returning balance;

-- name: DeleteCustomer :execrows
delete from quickstart_v2.customers where tenant_id = @tenant_id and id = @id;

-- name: CustomerIDs :many
select id from quickstart_v2.customers
where tenant_id = @tenant_id and id > @after
order by id
limit @max_rows;
