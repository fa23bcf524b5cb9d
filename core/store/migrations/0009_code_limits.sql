-- oldest program: 5
-- One-time codes: who has typed wrong ones on and on, and ranges of numbers to which none is sent for a while ('' for all numbers).

create table code_lock (
    party_id text primary key,
    failures integer not null,
    locked_at bigint
);

create table code_stop (
    range text primary key,
    until bigint not null
);
create index one_time_code_time on one_time_code (created_at);
