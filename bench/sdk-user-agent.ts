/** Asks our product for the answer with `check_failures`, which is what the peers are made to give. */
export const sdkUserAgent = 'python-requests/2.25.1';
