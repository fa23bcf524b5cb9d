-- Customers :first up to :end, each with one closed interaction in which :messages were said, at the time :at (ms UTC).
-- An id has the form of ours: the kind of row in the third group, its number in the last.

insert into party (id, role, customer_no, name, created_at)
with recursive who(i) as (values (:first) union all select i + 1 from who where i + 1 < :end)
select printf('018bcfe5-6800-7001-8000-%012x', i), 'customer', printf('B%09d', i), 'Customer ' || i, :at
from who;

insert into contact_medium (id, party_id, kind, value, strength, evidence, valid_from)
with recursive who(i) as (values (:first) union all select i + 1 from who where i + 1 < :end)
select printf('018bcfe5-6800-7002-8000-%012x', i), printf('018bcfe5-6800-7001-8000-%012x', i), 'msisdn', printf('+2547%08d', i), 1, 'loaded', :at
from who;

insert into conversation (id, party_id, version, seq, spoken_seq, created_at)
with recursive who(i) as (values (:first) union all select i + 1 from who where i + 1 < :end)
select printf('018bcfe5-6800-7003-8000-%012x', i), printf('018bcfe5-6800-7001-8000-%012x', i), :messages, :messages + 2, :messages, :at
from who;

insert into interaction (id, conversation_id, party_id, channel_id, media_type, service_number, address_kind, address, direction, contact_type,
                         reason, status, close_reason, opened_at, last_at, closed_at)
with recursive who(i) as (values (:first) union all select i + 1 from who where i + 1 < :end)
select printf('018bcfe5-6800-7004-8000-%012x', i), printf('018bcfe5-6800-7003-8000-%012x', i), printf('018bcfe5-6800-7001-8000-%012x', i),
       'ussd', 'ussd', '*384*100#', 'msisdn', printf('+2547%08d', i), 'inbound', 'customer', 'balance', 'closed', 'agreed', :at, :at, :at
from who;

insert into message (id, conversation_id, seq, interaction_id, channel_id, address, direction, author, text, status, created_at, cause_id)
with recursive who(i) as (values (:first) union all select i + 1 from who where i + 1 < :end),
               said(k) as (values (0) union all select k + 1 from said where k + 1 < :messages)
select printf('018bcfe5-6800-7006-8000-%012x', i * 100000 + k), printf('018bcfe5-6800-7003-8000-%012x', i), k + 2,
       printf('018bcfe5-6800-7004-8000-%012x', i), 'ussd', printf('+2547%08d', i),
       case k % 2 when 0 then 'inbound' else 'outbound' end, case k % 2 when 0 then 'customer' else 'bot' end,
       case k % 2 when 0 then '1' else 'Your balance is KES 120.50. Anything else?' end,
       case k % 2 when 0 then 'received' else 'sent' end, :at + k, 'loaded:' || i || ':' || k
from who, said;

insert into inbound (channel_id, external_id, id, conversation_id, received_at, raw, answer_status, answer_type, answer)
with recursive who(i) as (values (:first) union all select i + 1 from who where i + 1 < :end),
               said(k) as (values (0) union all select k + 2 from said where k + 2 < :messages)
select 'ussd', 'loaded:' || i || ':' || k, printf('018bcfe5-6800-7006-8000-%012x', i * 100000 + k),
       printf('018bcfe5-6800-7003-8000-%012x', i), :at + k, 'text=1', 200, 'text/plain', x'434f4e'
from who, said;

insert into event (conversation_id, seq, kind, at, ref)
with recursive who(i) as (values (:first) union all select i + 1 from who where i + 1 < :end),
               said(k) as (values (-1) union all select k + 1 from said where k < :messages)
select printf('018bcfe5-6800-7003-8000-%012x', i), k + 2,
       case when k = -1 then 'interaction.opened' when k = :messages then 'interaction.closed' when k % 2 = 0 then 'message.in' else 'message.out' end,
       :at + k,
       case when k in (-1, :messages) then printf('018bcfe5-6800-7004-8000-%012x', i) else printf('018bcfe5-6800-7006-8000-%012x', i * 100000 + k) end
from who, said;
