-- oldest program: 5
-- The phone of an agent, on which callers who wait are put through to them.

alter table agent add column phone text;
