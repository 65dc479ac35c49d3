-- What is past its term is found by an index, and what refers to a row that goes is too: the nightly job and the numbers of how late it is read no table of millions.

CREATE INDEX contact_removed ON contact (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX passkey_removed ON passkey (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX totp_factor_removed ON totp_factor (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX recovery_code_removed ON recovery_code (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX certificate_factor_removed ON certificate_factor (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX device_removed ON device (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX sign_in_session_device ON sign_in_session (device_id) WHERE device_id IS NOT NULL;

CREATE INDEX attendance_forgotten ON attendance (person_id) WHERE sealed IS NULL AND state <> 'approved' AND person_id IS NOT NULL;
CREATE INDEX agency_receipt_person ON agency_receipt (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX agency_validation_person ON agency_validation (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX capture_process_person ON capture_process (person_id) WHERE person_id IS NOT NULL;

CREATE INDEX approval_sample_kept ON approval_sample (drawn_at) WHERE sealed IS NOT NULL;
CREATE INDEX attendance_consent_paired ON attendance_consent (pair_until) WHERE num_nonnulls(link_hash, code_hash, screen_hash) > 0;
CREATE INDEX attendance_receipt_mail_sent ON attendance_receipt_mail (sent_at);
CREATE INDEX counter_help_kept ON counter_help (signed_at) WHERE num_nonnulls(text_sealed, signature_sealed) > 0;
CREATE INDEX helpdesk_support_case_opened ON helpdesk_support_case (opened_at);
CREATE INDEX helpdesk_survey_expires ON helpdesk_survey (expires_at);
CREATE INDEX helpdesk_survey_answer_kept ON helpdesk_survey_answer ((((day + 1)::timestamp AT TIME ZONE 'America/Cuiaba'))) WHERE sealed IS NOT NULL;
CREATE INDEX helpdesk_appointment_kept ON helpdesk_appointment ((coalesce(ended_at, starts_at))) WHERE state <> 'booked' AND account_id IS NOT NULL;
CREATE INDEX helpdesk_ticket_kept ON helpdesk_ticket ((((day + 1)::timestamp AT TIME ZONE 'America/Cuiaba')))
  WHERE state IN ('finished', 'missed', 'left', 'closed') AND attendant_id IS NOT NULL;

CREATE INDEX proxy_request_decided ON proxy_request (decided_at) WHERE state <> 'asked';
CREATE INDEX mandate_use_at ON mandate_use (at);
CREATE INDEX mandate_use_official ON mandate_use (at) WHERE official_sealed IS NOT NULL;
CREATE INDEX mandate_ended ON mandate (ended_at) WHERE ended_at IS NOT NULL;

CREATE INDEX capture_batch_kept ON capture_batch (received_at) WHERE manifest IS NOT NULL;
CREATE INDEX capture_process_operated ON capture_process ((coalesce(finished_at, expires_at))) WHERE state <> 'open' AND operator <> '';

-- There was one of live keys only, which says nothing of who may be deleted.
CREATE INDEX signature_credential_person ON signature_credential (person_id);
-- And one of holds that stand; those that ended keep a person too, until their own term.
CREATE INDEX image_hold_any ON image_hold (person_id);
