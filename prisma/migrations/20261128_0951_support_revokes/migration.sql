-- Help desk ends a citizen's certificates at their word, or to protect them.
ALTER TABLE helpdesk_support_act DROP CONSTRAINT helpdesk_support_act_act_check;
ALTER TABLE helpdesk_support_act ADD CONSTRAINT helpdesk_support_act_act_check CHECK (act IN ('unlock', 'end-sessions', 'start-recovery', 'revoke-certificates'));
