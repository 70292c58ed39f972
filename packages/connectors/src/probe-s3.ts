import { missing, type Probe, textAt } from './probe.ts';

/** Looks at the bucket, or at the list of buckets when none is named. */
export const probeS3: Probe = async (details) => {
  const accessKeyId = textAt(details, 'access_key_id', 'aws_access_key_id');
  const secretAccessKey = textAt(details, 'secret_access_key', 'aws_secret_access_key');
  const sessionToken = textAt(details, 'session_token', 'aws_session_token');
  const endpoint = textAt(details, 'endpoint', 'endpoint_url');
  const bucket = textAt(details, 'bucket', 'bucket_name');
  if (accessKeyId === undefined || secretAccessKey === undefined) return missing('access_key_id', 'secret_access_key');
  const { HeadBucketCommand, ListBucketsCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({
    region: textAt(details, 'region', 'region_name') ?? 'us-east-1',
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    // Servers that are not Amazon's seldom have a name for each bucket.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    maxAttempts: 1,
  });
  try {
    if (bucket === undefined) await client.send(new ListBucketsCommand({ MaxBuckets: 1 }));
    else await client.send(new HeadBucketCommand({ Bucket: bucket }));
    return {
      outcome: 'reached',
      text: bucket === undefined ? 'The buckets can be listed.' : 'The bucket can be read.',
    };
  } catch (error) {
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    if (status === undefined || status < 300) throw error;
    return { outcome: 'refused', text: `The object store refused with status ${status}.` };
  } finally {
    client.destroy();
  }
};
