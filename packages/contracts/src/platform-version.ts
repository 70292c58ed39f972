/** The version of this software, sent as `created_on_version` and in the API description. */
export const platformVersion = '0.1.0';
