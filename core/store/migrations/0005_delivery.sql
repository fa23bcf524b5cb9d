-- oldest program: 5
-- Dead letters that an operator sees and settles, sending that is paused, and how far a provider's own lists have been read.

alter table outbox add column resent integer not null default 0;
alter table outbox add column dead_at bigint;
alter table outbox add column handled_at bigint;
alter table outbox add column handled_by text;
alter table outbox add column handled_reason text;
create index outbox_dead on outbox (dead_at) where dead_at is not null and handled_at is null;
drop index outbox_due;
create index outbox_channel_due on outbox (channel_id, due_at) where state in ('queued', 'retry_wait', 'sending', 'unknown');

alter table unreadable add column request text;
alter table unreadable add column again_at bigint;
alter table unreadable add column handled_by text;
alter table unreadable add column handled_reason text;
create index unreadable_again on unreadable (again_at) where again_at is not null;
create index unreadable_open on unreadable (received_at) where handled_at is null;

alter table delivery_report add column handled_at bigint;
alter table delivery_report add column handled_by text;
alter table delivery_report add column handled_reason text;
create index delivery_report_open on delivery_report (received_at) where message_id is null and handled_at is null;

create table paused_sending (
    channel_id text primary key,
    code text not null,
    since bigint not null
);

create table provider_cursor (
    channel_id text primary key,
    read_up_to bigint not null,
    mark text not null default ''
);
