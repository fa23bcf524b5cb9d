-- oldest program: 1
-- Parts of long short messages, kept until the last one is there, because each of them is acknowledged when it comes.

create table message_part (
    channel_id text not null,
    series text not null,
    number integer not null,
    total integer not null,
    digest text not null,
    raw text not null,
    received_at bigint not null,
    done_at bigint,
    primary key (channel_id, series, number)
);
create index message_part_waiting on message_part (channel_id, received_at) where done_at is null;
