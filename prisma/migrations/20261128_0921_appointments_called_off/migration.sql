-- Hours that the unit itself called off, by closing a day or changing its hours: they do not count against who booked them.
ALTER TABLE helpdesk_appointment ADD COLUMN called_off boolean NOT NULL DEFAULT false;
ALTER TABLE helpdesk_appointment ADD CHECK (NOT called_off OR state = 'cancelled');
COMMENT ON COLUMN helpdesk_appointment.called_off IS 'sensitive: no';
