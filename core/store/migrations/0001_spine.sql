-- The record: people, their conversations and interactions, the journal, the queues, the event log.
-- Times are integer milliseconds UTC, ids text UUIDs, documents JSON text. Spoken by SQLite and PostgreSQL.

create table party (
    id text primary key,
    role text not null check (role in ('customer', 'prospect')),
    customer_no text unique,
    name text,
    language text,
    facts text not null default '{}',
    merged_into text references party (id),
    created_at bigint not null
);
create index party_merged on party (merged_into) where merged_into is not null;

create table contact_medium (
    id text primary key,
    party_id text not null references party (id),
    kind text not null,
    value text not null,
    strength integer not null,
    evidence text not null,
    opted_out_at bigint,
    last_number integer not null default 0,
    valid_from bigint not null,
    valid_to bigint
);
create unique index contact_medium_current on contact_medium (kind, value) where valid_to is null;
create index contact_medium_party on contact_medium (party_id);

create table conversation (
    id text primary key,
    party_id text not null unique references party (id),
    state text,
    version integer not null default 0,
    seq integer not null default 0,
    spoken_seq integer not null default 0,
    failures integer not null default 0,
    -- written out, because SQLite makes a table for a list of three each time that the row is written
    owner text not null default 'bot' check (owner = 'bot' or owner = 'queued' or owner = 'agent'),
    agent_id text,
    owner_epoch integer not null default 0,
    session_channel text,
    session_id text,
    session_seen integer,
    session_secret integer not null default 0,
    created_at bigint not null
);

create table interaction (
    id text primary key,
    conversation_id text not null references conversation (id),
    party_id text not null references party (id),
    channel_id text not null,
    media_type text not null,
    service_number text not null,
    address_kind text not null,
    address text not null,
    direction text not null check (direction in ('inbound', 'outbound')),
    contact_type text not null,
    reason text,
    remark text,
    status text not null default 'open' check (status in ('open', 'closed')),
    close_reason text,
    disposition text,
    operator text,
    department text,
    previous_id text references interaction (id),
    opened_at bigint not null,
    last_at bigint not null,
    closed_at bigint
);
create index interaction_conversation on interaction (conversation_id, opened_at);
create unique index interaction_open on interaction (conversation_id, channel_id, address) where status = 'open';

create table message (
    id text primary key,
    conversation_id text not null references conversation (id),
    seq integer not null,
    interaction_id text not null,
    channel_id text not null,
    address text not null,
    direction text not null,
    author text not null,
    agent_id text,
    text text not null,
    content text,
    status text not null,
    created_at bigint not null,
    cause_id text,
    number integer
);
create unique index message_conversation on message (conversation_id, seq);
create unique index message_pulled on message (address, number) where number is not null;

create table inbound (
    channel_id text not null,
    external_id text not null,
    id text not null,
    conversation_id text,
    received_at bigint not null,
    raw text not null,
    answer_status integer,
    answer_type text,
    answer blob,
    primary key (channel_id, external_id)
);

create table unreadable (
    id text primary key,
    channel_id text not null,
    code text not null,
    received_at bigint not null,
    raw blob not null,
    handled_at bigint
);

create table event (
    cursor integer primary key,
    conversation_id text not null,
    seq integer not null,
    kind text not null,
    at bigint not null,
    ref text,
    body text
);
create unique index event_conversation on event (conversation_id, seq);

create table outbox (
    position integer primary key,
    message_id text not null unique references message (id),
    conversation_id text not null,
    channel_id text not null,
    recipient_kind text not null,
    recipient text not null,
    state text not null,
    on_unknown text not null,
    owner_epoch integer not null,
    against_seq integer not null,
    attempts integer not null default 0,
    due_at bigint not null,
    expires_at bigint not null,
    lease text,
    lease_until bigint,
    external_id text,
    secret_text text,
    repeated integer not null default 0
);
create index outbox_due on outbox (due_at) where state in ('queued', 'retry_wait', 'sending', 'unknown');
create index outbox_recipient on outbox (channel_id, recipient, position) where state in ('queued', 'retry_wait', 'sending', 'unknown');
create index outbox_external on outbox (channel_id, external_id) where external_id is not null;

create table attempt (
    message_id text not null,
    number integer not null,
    started_at bigint not null,
    ended_at bigint,
    outcome text,
    code text,
    detail text,
    primary key (message_id, number)
);

create table delivery_report (
    channel_id text not null,
    external_id text not null,
    status text not null,
    code text not null default '',
    message_id text,
    received_at bigint not null,
    primary key (channel_id, external_id, status, code)
);
create index delivery_report_unjoined on delivery_report (channel_id, external_id) where message_id is null;

create table action (
    id text primary key,
    conversation_id text not null references conversation (id),
    interaction_id text not null,
    inbound_channel text,
    inbound_external text,
    name text not null,
    payload text not null,
    state text not null default 'waiting',
    attempts integer not null default 0,
    due_at bigint not null,
    lease text,
    lease_until bigint,
    late integer not null default 0,
    created_at bigint not null,
    ended_at bigint
);
create index action_due on action (due_at) where state = 'running';

create table timer (
    conversation_id text not null,
    kind text not null,
    due_at bigint not null,
    payload text not null,
    interaction_id text,
    primary key (conversation_id, kind)
);
create index timer_due on timer (due_at);

create table work_item (
    id text primary key,
    number integer not null unique,
    conversation_id text not null references conversation (id),
    interaction_id text not null,
    queue text not null,
    state text not null check (state in ('waiting', 'working', 'done')),
    version integer not null default 1,
    agent_id text,
    reason text not null,
    card text not null,
    disposition text,
    created_at bigint not null,
    claimed_at bigint,
    ended_at bigint
);
create index work_item_live on work_item (state, created_at) where state in ('waiting', 'working');
create index work_item_conversation on work_item (conversation_id);

create table case_file (
    id text primary key,
    number integer not null unique,
    party_id text not null references party (id),
    interaction_id text not null,
    kind text not null,
    description text not null,
    severity text not null,
    status text not null,
    created_at bigint not null,
    changed_at bigint not null
);
create index case_file_party on case_file (party_id, created_at);

create table one_time_code (
    id text primary key,
    party_id text not null,
    address_kind text not null,
    address text not null,
    purpose text not null,
    code_hash blob not null,
    tries integer not null default 0,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);
create index one_time_code_address on one_time_code (address, created_at);
create index one_time_code_party on one_time_code (party_id, created_at);

create table agent (
    id text primary key,
    login text not null unique,
    name text not null,
    role text not null check (role in ('agent', 'supervisor', 'admin')),
    password_hash text not null,
    state text not null default 'offline',
    disabled_at bigint,
    created_at bigint not null
);

create table agent_session (
    token_hash blob primary key,
    agent_id text not null references agent (id),
    created_at bigint not null,
    seen_at bigint not null
);
create index agent_session_agent on agent_session (agent_id);

create table ticket (
    hash blob primary key,
    kind text not null,
    subject text not null,
    expires_at bigint not null
);
create index ticket_expiry on ticket (expires_at);
