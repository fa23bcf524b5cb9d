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

create table letter (
    message_id text primary key references message (id),
    channel_id text not null,
    conversation_id text not null,
    thread text not null,
    mail_id text not null,
    subject_key text not null,
    content text not null,
    created_at bigint not null
);
create index letter_mail_id on letter (channel_id, mail_id);
create index letter_thread on letter (thread, created_at);
create index letter_conversation on letter (conversation_id, created_at);

-- Ids of mails that a thread refers to, also of those that never came to us.
create table letter_reference (
    channel_id text not null,
    mail_id text not null,
    thread text not null,
    primary key (channel_id, mail_id, thread)
);

-- How far a mailbox elsewhere has been read.
create table mailbox_cursor (
    channel_id text not null,
    folder text not null,
    uid_validity bigint not null,
    last_uid bigint not null,
    primary key (channel_id, folder)
);

alter table contact_medium add column unreachable_at bigint;
