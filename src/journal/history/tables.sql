-- Tables of history.db. Times (`…_at`) are milliseconds since 1970 UTC, lengths (`…_ms`)
-- milliseconds. `seq` is the position in the log of the event that opened the row.
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- Parts of the log that were cut away before they had been taken in.
CREATE TABLE gaps (
    after INTEGER PRIMARY KEY, -- the last position that was taken in
    upto INTEGER NOT NULL,     -- the last position that is missing
    found_at INTEGER NOT NULL
);

-- One row per contact.
CREATE TABLE contacts (
    seq INTEGER PRIMARY KEY,
    contact TEXT NOT NULL UNIQUE,
    external_id TEXT,           -- none once it was erased
    customer_id TEXT,           -- the integrator's; none once it was erased
    channel TEXT NOT NULL,
    first_queue TEXT NOT NULL,
    queue TEXT NOT NULL,        -- the last one
    conversation TEXT NOT NULL,
    submitted_by TEXT NOT NULL,
    entered_at INTEGER NOT NULL,
    answered_at INTEGER,        -- the first agent was connected
    ended_at INTEGER,           -- nobody was left in it
    closed_at INTEGER,          -- the last wrap-up was over
    waited_ms INTEGER,          -- from the first entry to the first answer, or to the end without one
    answered_by TEXT,           -- the first agent
    answered_team TEXT,         -- that agent's home team
    talk_ms INTEGER NOT NULL DEFAULT 0,
    wrap_up_ms INTEGER NOT NULL DEFAULT 0,
    offers INTEGER NOT NULL DEFAULT 0,
    requeues INTEGER NOT NULL DEFAULT 0, -- back in line after an offer
    returns INTEGER NOT NULL DEFAULT 0,  -- back in line after an answer
    outcome TEXT,
    wrap_up_codes TEXT          -- of all its legs, in order: a JSON list
);
CREATE INDEX contacts_entered ON contacts (entered_at, seq);
CREATE INDEX contacts_customer ON contacts (customer_id) WHERE customer_id IS NOT NULL;

-- What a contact went through: kind is queue (a stay in line), offer, leg or wrap_up.
CREATE TABLE segments (
    seq INTEGER PRIMARY KEY,
    contact TEXT NOT NULL,
    kind TEXT NOT NULL,
    parent INTEGER,             -- offer: its stay; leg: its offer; wrap_up: its leg
    queue TEXT NOT NULL,
    channel TEXT NOT NULL,
    agent TEXT,
    team TEXT,                  -- of a leg: the agent's home team when it began
    offer INTEGER,              -- number of the offer, the same in its leg and wrap-up
    cause TEXT,                 -- of a stay: why it began; of an offer: by what the agent was chosen
    outcome TEXT,
    reason TEXT,                -- of an offer that was withdrawn: why
    codes TEXT,                 -- of a leg: wrap-up codes, a JSON list
    started_at INTEGER NOT NULL,
    ended_at INTEGER
);
CREATE INDEX segments_contact ON segments (contact);
CREATE INDEX segments_started ON segments (started_at, seq);

-- How long an agent was in a state; a row begins whenever state, reason or connection changes.
CREATE TABLE agent_states (
    seq INTEGER PRIMARY KEY,
    agent TEXT NOT NULL,
    state TEXT NOT NULL,        -- available or not_ready
    reason TEXT,                -- of not_ready
    connection TEXT NOT NULL,   -- connected or lost
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT                -- what came next: a state, a connection, or a way to sign out
);
CREATE INDEX agent_states_started ON agent_states (started_at, seq);
CREATE UNIQUE INDEX agent_states_open ON agent_states (agent) WHERE ended_at IS NULL;

-- Counters of a half hour, queue and channel. An outcome counts in the half hour in which it
-- happened, an entry in that of the entry.
CREATE TABLE queue_intervals (
    started_at INTEGER NOT NULL,
    queue TEXT NOT NULL,
    channel TEXT NOT NULL,
    threshold_ms INTEGER NOT NULL,         -- within which an answer is in time
    entered INTEGER NOT NULL,
    moved_in INTEGER NOT NULL,             -- of those entered
    transferred_in INTEGER NOT NULL,       -- of those entered
    returned INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    answered_first INTEGER NOT NULL,       -- for the first time
    answered_in_threshold INTEGER NOT NULL, -- for the first time, in time
    abandoned INTEGER NOT NULL,
    short_abandoned INTEGER NOT NULL,
    abandoned_in_threshold INTEGER NOT NULL, -- before any answer, short ones included
    abandoned_after_return INTEGER NOT NULL, -- of those abandoned
    cancelled INTEGER NOT NULL,
    moved_out INTEGER NOT NULL,
    requeued INTEGER NOT NULL,
    offers INTEGER NOT NULL,
    offers_accepted INTEGER NOT NULL,
    offers_declined INTEGER NOT NULL,
    offers_missed INTEGER NOT NULL,
    offers_withdrawn INTEGER NOT NULL,
    offers_failed INTEGER NOT NULL,
    handled INTEGER NOT NULL,              -- legs that ended
    talk_ms INTEGER NOT NULL,              -- of those
    wrap_up_ms INTEGER NOT NULL,           -- of those
    wait_ms INTEGER NOT NULL,              -- of those answered for the first time
    abandon_wait_ms INTEGER NOT NULL,      -- of those abandoned before any answer
    max_wait_ms INTEGER NOT NULL,          -- of either
    PRIMARY KEY (started_at, queue, channel)
) WITHOUT ROWID;

-- The same of an agent and channel.
CREATE TABLE agent_intervals (
    started_at INTEGER NOT NULL,
    agent TEXT NOT NULL,
    channel TEXT NOT NULL,
    offers INTEGER NOT NULL,
    offers_accepted INTEGER NOT NULL,
    offers_declined INTEGER NOT NULL,
    offers_missed INTEGER NOT NULL,
    offers_withdrawn INTEGER NOT NULL,
    offers_failed INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    handled INTEGER NOT NULL,
    talk_ms INTEGER NOT NULL,
    wrap_up_ms INTEGER NOT NULL,
    PRIMARY KEY (started_at, agent, channel)
) WITHOUT ROWID;

-- Every event that a user made happen.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    user TEXT NOT NULL,
    behalf TEXT,                -- as whom
    action TEXT NOT NULL,
    contact TEXT,
    queue TEXT,
    agent TEXT,
    detail TEXT                 -- what it came to
);
CREATE INDEX audit_at ON audit (at, seq);
