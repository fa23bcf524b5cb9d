-- oldest program: 5
-- How reading a mailbox elsewhere goes, for those who look from outside of the process that reads it.

create table mailbox_state (
    channel_id text primary key,
    read_at bigint,
    behind integer not null default 0,
    failing_since bigint,
    code text
);
