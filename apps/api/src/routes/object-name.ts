import { Type } from 'typebox';

/**
 * A name as workspaces are called: 1 to 255 characters without control characters. Pipelines and models have the
 * stricter DNS rule of the SDKs (`require_dns_compliance`).
 */
export const ObjectName = Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\u0000-\\u001f\\u007f]+$' });

/** The SDKs' rule for names that become part of a URL. */
export const DnsName = Type.String({ minLength: 1, maxLength: 63, pattern: '^[a-zA-Z]([a-zA-Z0-9-]*[a-zA-Z0-9])?$' });
