-- oldest program: 5
-- Dead letters that an operator sees and settles, and how far a provider's own lists have been read.

alter table outbox add column dead_at bigint;
alter table outbox add column handled_at bigint;
alter table outbox add column handled_by text;
create index outbox_dead on outbox (dead_at) where dead_at is not null and handled_at is null;
alter table unreadable add column handled_by text;
create index unreadable_open on unreadable (received_at) where handled_at is null;

create table provider_cursor (
    channel_id text primary key,
    read_up_to bigint not null
);
