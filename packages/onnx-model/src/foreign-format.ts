/** Files of other kinds that people upload in place of a model, by how they begin. */
const beginnings: readonly { readonly bytes: string; readonly at?: number; readonly what: string }[] = [
  { bytes: '504b0304', what: 'a zip archive (as PyTorch, Keras and NumPy save them)' },
  { bytes: '504b0506', what: 'an empty zip archive' },
  { bytes: '894844460d0a1a0a', what: 'an HDF5 file (as Keras saves models)' },
  { bytes: '1f8b', what: 'a gzip archive' },
  { bytes: '4f52544d', at: 4, what: 'a model in the ORT format; upload the .onnx file that it was made from' },
  { bytes: '47475546', what: 'a GGUF model' },
  { bytes: '7f454c46', what: 'a program' },
  { bytes: '252150', what: 'a document' },
  { bytes: '25504446', what: 'a PDF document' },
];

/** Says what the file is when its first bytes tell that it cannot be an ONNX model; null otherwise. */
export function foreignFormat(head: Buffer): string | null {
  const known = beginnings.find(({ bytes, at = 0 }) => head.toString('hex', at, at + bytes.length / 2) === bytes);
  if (known !== undefined) return known.what;
  // A pickle begins with PROTO and its version; in a protobuf these bytes would be a field of an impossible kind.
  if (head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5)
    return 'a Python pickle (as joblib and PyTorch save them)';
  if (/^\s*[<{["]/.test(head.toString('latin1'))) return 'a text file';
  return null;
}
