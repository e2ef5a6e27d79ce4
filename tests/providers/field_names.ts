/**
 * The names that providers give to what they send: with these, made-up requests get further than the first check.
 *
 * @module
 */

export const FIELD_NAMES: readonly string[] = [
  ...[
    "MessageSid",
    "SmsSid",
    "AccountSid",
    "From",
    "To",
    "Body",
    "NumMedia",
    "MediaUrl0",
    "MediaContentType0",
  ],
  ...["MessageStatus", "SmsStatus", "ErrorCode"],
  ...["sms_hash", "sms_log_id", "source_number", "destination_number", "message", "attachment", "direction"],
  ...["attachment_mime_type", "attachment_size", "transmission_status"],
  ...[
    "from",
    "to",
    "text",
    "id",
    "status",
    "media",
    "number",
    "body",
    "type",
    "data",
    "payload",
    "event_type",
  ],
  ...["phone_number", "errors", "code", "errorCode", "owner", "tag", "url", "content_type", "batch_id"],
  ...["statuses", "client_reference", "MessageUUID", "ParentMessageUUID", "PartInfo", "Status", "Media0"],
  ...["msisdn", "messageId", "api-key", "concat", "concat-ref", "concat-part", "concat-total", "client-ref"],
  ...[
    "message_uuid",
    "message_type",
    "channel",
    "image",
    "content",
    "caption",
    "client_ref",
    "error",
    "title",
  ],
  ...[
    "reference_id",
    "sub_resource",
    "user_response",
    "sender_id",
    "mo_message",
    "external_id",
    "url_image_1",
  ],
  ...["err-code", "keyword", "timestamp"],
  ...["celular", "mensaje", "origen", "destino", "estado", "texto", "reference", "idinterno", "__proto__"],
];
