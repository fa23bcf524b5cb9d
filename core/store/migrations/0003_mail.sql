-- oldest program: 3
-- Mails: requests that are kept before they are read, and what a message has that is a mail.

create table kept_request (
    id text primary key,
    channel_id text not null,
    digest text not null,
    request text not null,
    body text not null,
    received_at bigint not null,
    state text not null default 'waiting' check (state in ('waiting', 'read', 'unreadable')),
    attempts integer not null default 0,
    due_at bigint not null,
    code text
);
create unique index kept_request_digest on kept_request (channel_id, digest);
create index kept_request_waiting on kept_request (due_at) where state = 'waiting';

-- What a message has that is a mail. `thread` names the exchange that it belongs to, also in our address; `answers` is the message that
-- one of ours answers; `header` is what the desk shows of each mail, `body` what it shows on demand.
create table letter (
    message_id text primary key references message (id),
    channel_id text not null,
    conversation_id text not null,
    address text not null,
    direction text not null check (direction in ('inbound', 'outbound')),
    thread text not null,
    mail_id text not null,
    subject_key text not null,
    automatic text not null default '',
    answers text references letter (message_id),
    header text not null,
    body text not null,
    created_at bigint not null
);
create index letter_mail_id on letter (channel_id, mail_id, created_at) where mail_id <> '';
create index letter_subject on letter (channel_id, address, subject_key, created_at) where subject_key <> '';
create index letter_thread on letter (thread, created_at);
create index letter_conversation on letter (conversation_id, created_at);

-- Ids of mails that a thread refers to, also of those that never came to us.
create table letter_reference (
    channel_id text not null,
    mail_id text not null,
    thread text not null,
    primary key (channel_id, mail_id, thread)
);

-- Who besides its customer takes part in a thread: whom its mails were addressed to.
create table thread_participant (
    thread text not null,
    address text not null,
    primary key (thread, address)
);

-- How far a mailbox elsewhere has been read; what was there before it was first read at `begun_at` is not wanted.
create table mailbox_cursor (
    channel_id text not null,
    folder text not null,
    uid_validity bigint not null,
    last_uid bigint not null,
    begun_at bigint not null,
    primary key (channel_id, folder)
);

alter table contact_medium add column unreachable_at bigint;
