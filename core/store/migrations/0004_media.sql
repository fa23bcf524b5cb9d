-- oldest program: 4
-- Attachments: references that a job fetches, and contents that are stored once, named by their digest.

create table media (
    id text primary key,
    message_id text not null references message (id),
    channel_id text not null,
    position integer not null,
    kind text not null,
    name text not null,
    content_type text not null,
    source text not null,
    state text not null check (state in ('waiting', 'fetching', 'stored', 'refused')),
    code text,
    digest text,
    size bigint,
    attempts integer not null default 0,
    due_at bigint not null,
    lease text,
    created_at bigint not null,
    check ((state = 'stored') = (digest is not null and size is not null)),
    check ((state = 'refused') <= (code is not null))
);
create unique index media_message on media (message_id, position);
create index media_due on media (due_at) where state in ('waiting', 'fetching');
create index media_content on media (digest, size) where digest is not null;
