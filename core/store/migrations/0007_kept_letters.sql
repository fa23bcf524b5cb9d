-- oldest program: 5
-- Kept requests that could not be read are dead letters too: who settled one, and why.

alter table kept_request add column handled_at bigint;
alter table kept_request add column handled_by text;
alter table kept_request add column handled_reason text;
create index kept_request_open on kept_request (received_at) where state = 'unreadable' and handled_at is null;
