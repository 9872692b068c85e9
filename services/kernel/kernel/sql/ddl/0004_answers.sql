-- Whom a kept answer speaks of, so that it goes with them when they are erased. Looked for that seldom
-- that it needs no index: answers are kept for 48 hours.
alter table idempotency add column subject_ids uuid[] not null default '{}';
-- Erased, and not one that is still being found.
alter table idempotency add column erased boolean not null default false;
