-- Loaded customers :first up to :end wait for an agent since the time :at (ms UTC).

insert into work_item (id, number, conversation_id, interaction_id, queue, state, reason, card, created_at)
with recursive who(i) as (values (:first) union all select i + 1 from who where i + 1 < :end)
select printf('018bcfe5-6800-7005-8000-%012x', i), (select coalesce(max(number), 0) from work_item) + i - :first + 1,
       printf('018bcfe5-6800-7003-8000-%012x', i), printf('018bcfe5-6800-7004-8000-%012x', i), 'general', 'waiting', 'asked', '{}', :at
from who;

update conversation set owner = 'queued', owner_epoch = 1 where id in (
    with recursive who(i) as (values (:first) union all select i + 1 from who where i + 1 < :end)
    select printf('018bcfe5-6800-7003-8000-%012x', i) from who
);
