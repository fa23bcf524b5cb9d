-- oldest program: 5
-- Callers who are kept on the line: until when they may ask again for the result of an action.

alter table action add column held_until bigint;
create index action_held on action (conversation_id) where held_until is not null;
