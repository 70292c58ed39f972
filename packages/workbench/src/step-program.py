"""Serves one Python step: loads the script and answers each frame of columns with the columns that it makes of them.

Frames come on standard input and go out on standard output; their layout is told in step-frames.ts of the inference app.
The script gets neither: its standard input is empty, and what it prints goes to standard error, which is the pod's log.

Arguments: a JSON object {"script": path, "inputSchema": base64 or null, "outputSchema": base64 or null, "tasks": number,
"checkMark": text or null}. The schemas are Arrow schema messages; `tasks` is how many processes and threads there may
be. With a mark the script is only loaded, with a bound on its memory that nobody watches then, and what is wrong with it
is printed after the mark.
"""
import base64
import ctypes
import importlib.util
import inspect
import json
import os
import resource
import signal
import struct
import sys
import traceback
import types
import typing

import numpy as np

NUMPY_TYPES = {
    "float32": "<f4",
    "float64": "<f8",
    "int8": "<i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
    "uint8": "<u1",
    "uint16": "<u2",
    "uint32": "<u4",
    "uint64": "<u8",
    "bool": "|b1",
}
COLUMN_TYPES = {np.dtype(numpy_type): name for name, numpy_type in NUMPY_TYPES.items()}


class StepError(Exception):
    """Something about the script or what it gave, told to the caller as it is."""


class Channel:
    """The two pipes to the pod, kept where nothing that the script does by accident can reach them."""

    def __init__(self):
        self._reader = os.fdopen(os.dup(0), "rb", buffering=1 << 20)
        self._writer = os.fdopen(os.dup(1), "wb", buffering=0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)

    def receive(self):
        """The next frame as (header, payload); None when the pod has gone."""
        prefix = self._reader.read(8)
        if len(prefix) < 8:
            return None
        header_size, payload_size = struct.unpack("<II", prefix)
        header = self._reader.read(header_size)
        payload = bytearray(payload_size)
        if len(header) < header_size or self._reader.readinto(payload) < payload_size:
            return None
        return json.loads(header), payload

    def send(self, header, parts=()):
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        pieces = []
        for part in parts:
            pieces.append(part)
            pieces.append(b"\0" * (-len(part) % 8))
        frame = b"".join([struct.pack("<II", len(text), sum(map(len, pieces))), text, *pieces])
        view = memoryview(frame)
        while view:
            view = view[self._writer.write(view) :]


def read_columns(header, payload):
    """{name: array}, the first dimension of each being the rows; lists of differing lengths are arrays of objects."""
    rows, at, columns = header["rows"], 0, {}

    def take(numpy_type, length):
        nonlocal at
        values = np.frombuffer(payload, numpy_type, length, at)
        at += values.nbytes + -values.nbytes % 8
        return values

    for column in header["columns"]:
        offsets = take("<i4", rows + 1) if column["isRagged"] else None
        if column["type"] == "utf8":
            lengths = take("<u4", column["length"])
            text = take("<u1", column["textBytes"]).tobytes()
            ends = np.cumsum(lengths, dtype=np.int64)
            values = np.empty(len(lengths), object)
            values[:] = [text[end - length : end].decode() for length, end in zip(lengths.tolist(), ends.tolist())]
        else:
            values = take(NUMPY_TYPES[column["type"]], column["length"])
        if offsets is not None:
            cells = np.empty(rows, object)
            cells[:] = [values[start:end] for start, end in zip(offsets[:-1], offsets[1:])]
            columns[column["name"]] = cells
        else:
            columns[column["name"]] = values.reshape([rows, *column["rowShape"]])
    return columns


def write_column(name, array, offsets):
    """The header and the parts of one column."""
    parts = [] if offsets is None else [np.asarray(offsets, "<i4").tobytes()]
    row_shape = list(array.shape[1:]) if offsets is None else [-1]
    header = {"name": name, "rowShape": row_shape, "length": int(array.size), "isRagged": offsets is not None}
    if array.dtype == object:
        texts = [text.encode("utf-8", "replace") for text in array.ravel().tolist()]
        parts += [np.array([len(text) for text in texts], "<u4").tobytes(), b"".join(texts)]
        return {**header, "type": "utf8", "textBytes": len(parts[-1])}, parts
    parts.append(np.ascontiguousarray(array).tobytes())
    return {**header, "type": COLUMN_TYPES[array.dtype], "textBytes": 0}, parts


def to_array(name, values):
    """What a script gave for one column as (array, offsets): numbers of a column type, or objects that are all strings."""
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if isinstance(values, np.ndarray) and values.dtype != object:
        return to_column_type(name, values), None
    cells = list(values)
    first = next((row for row, cell in enumerate(cells) if cell is None), None)
    if first is not None:
        raise StepError("Its output %r has no value in row %d." % (name, first))
    if cells and all(isinstance(cell, (list, tuple, np.ndarray)) or hasattr(cell, "to_numpy") for cell in cells):
        arrays = [to_array(name, cell)[0] for cell in cells]
        if len({array.shape for array in arrays}) == 1:
            return to_column_type(name, np.stack(arrays)), None
        if any(array.ndim != 1 for array in arrays):
            raise StepError("The shapes of its output %r differ between rows." % name)
        offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays])])
        return to_column_type(name, np.concatenate(arrays)), offsets
    if all(isinstance(cell, str) for cell in cells):
        array = np.empty(len(cells), object)
        array[:] = cells
        return array, None
    array = np.array(cells) if cells else np.zeros(0)
    if array.dtype == object or array.ndim != 1:
        kinds = ", ".join(sorted({type(cell).__name__ for cell in cells})[:5])
        raise StepError("Its output %r holds %s; use numbers, texts, or lists of them." % (name, kinds))
    return to_column_type(name, array), None


def to_column_type(name, array):
    if array.dtype == object:
        if all(isinstance(cell, str) for cell in array.ravel()):
            return array
        raise StepError("Its output %r mixes kinds of values." % name)
    if array.dtype.kind in "US":
        texts = np.empty(array.shape, object)
        texts[...] = array.astype("U")
        return texts
    if array.dtype.kind == "M":
        texts = np.empty(array.shape, object)
        texts[...] = np.datetime_as_string(array)
        return texts
    if array.dtype == np.float16:
        return array.astype("<f4")
    native = array.dtype.newbyteorder("<")
    if native not in COLUMN_TYPES:
        raise StepError("Its output %r is of the type %s, which has no column type." % (name, array.dtype))
    return array.astype(native, copy=False)


class Schema:
    """What an uploaded Arrow schema says of columns: their names, whether a cell is a list, and the type of its values."""

    def __init__(self, text):
        import pyarrow as pa

        self.fields = {}
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))
        for field in schema:
            kind, is_list = field.type, False
            while hasattr(kind, "value_type") and not pa.types.is_dictionary(kind):
                kind, is_list = kind.value_type, True
            is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
            self.fields[field.name] = (is_list, None if is_text else np.dtype(kind.to_pandas_dtype()))

    def choose(self, columns, what):
        """The columns that the schema names, as it types them; by position where no name fits and the numbers do."""
        if not any(name in columns for name in self.fields) and len(columns) == len(self.fields):
            columns = dict(zip(self.fields, columns.values()))
        missing = [name for name in self.fields if name not in columns]
        if missing:
            has = ", ".join(map(repr, columns)) or "nothing"
            raise StepError("Its %s schema names %r, but there is %s." % (what, missing[0], has))
        return {name: columns[name] for name in self.fields}

    def cast(self, name, array):
        """The array with values of the declared type, and a dimension for lists exactly where they are declared."""
        is_list, numpy_type = self.fields[name]
        if array.dtype == object or numpy_type is None:
            return array
        if is_list and array.ndim == 1:
            array = array[:, np.newaxis]
        elif not is_list and array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        return array.astype(numpy_type, copy=False)


class Script:
    """The user's file, loaded, and its entry point: process_data(dict of arrays) or wallaroo_json(DataFrame)."""

    def __init__(self, path):
        self.folder, self.name = os.path.split(path)
        sys.path.insert(0, self.folder)
        specification = importlib.util.spec_from_file_location(os.path.splitext(self.name)[0], path)
        module = importlib.util.module_from_spec(specification)
        sys.modules[specification.name] = module
        specification.loader.exec_module(module)
        for self.entry in ("process_data", "wallaroo_json"):
            self.function = getattr(module, self.entry, None)
            if callable(self.function):
                break
        else:
            raise StepError(
                "%s defines neither process_data(input_data: InferenceData) nor wallaroo_json(data: pd.DataFrame)."
                % self.name
            )
        if self.entry == "wallaroo_json":
            import pandas

            self.pandas = pandas

    def run(self, columns, rows):
        if self.entry == "process_data":
            return self._to_columns(self.function(columns), rows)
        # A DataFrame's cell holds a row's list as an array of its own.
        cells = {name: array if array.ndim == 1 else list(array) for name, array in columns.items()}
        return self._to_columns(self.function(self.pandas.DataFrame(cells)), rows)

    def _to_columns(self, result, rows):
        if isinstance(result, (list, tuple)):
            result = self._from_records(result)
        elif not hasattr(result, "items"):
            wanted = "a dict of arrays" if self.entry == "process_data" else "a DataFrame, a list of dicts or a dict"
            raise StepError("%s must return %s, not %s." % (self.entry, wanted, type(result).__name__))
        columns = {str(name): values for name, values in result.items()}
        if not columns:
            raise StepError("%s returned no columns." % self.entry)
        if rows == 1 and self.entry == "wallaroo_json" and isinstance(result, dict) and not _is_columnar(columns):
            # One answer for the one row, not a column of them.
            columns = {name: [values] for name, values in columns.items()}
        return columns

    def _from_records(self, records):
        if not records or not all(isinstance(record, dict) for record in records):
            raise StepError("%s must return one dict for each row." % self.entry)
        names = list(records[0])
        for row, record in enumerate(records):
            if set(record) != set(names):
                raise StepError("%s returned other keys in row %d than in row 0." % (self.entry, row))
        return {name: [record[name] for record in records] for name in names}


def _is_columnar(columns):
    return all(
        hasattr(values, "__len__") and not isinstance(values, str) and len(values) == 1 for values in columns.values()
    )


def describe(error, script_folder):
    """One sentence about an exception of the script: its text and the line in the script, no folders of the machine."""
    if isinstance(error, StepError):
        return str(error)
    text = "".join(traceback.format_exception_only(type(error), error)).strip().split("\n")[-1]
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if os.path.dirname(frame.filename) == script_folder
    ]
    place = " (%s, line %d)" % (os.path.basename(frames[-1].filename), frames[-1].lineno) if frames else ""
    return text.replace(script_folder + os.sep, "")[:500] + place


def answer(script, schemas, header, payload):
    rows = header["rows"]
    columns = read_columns(header, payload)
    if schemas["input"]:
        columns = schemas["input"].choose(columns, "input")
        columns = {name: schemas["input"].cast(name, array) for name, array in columns.items()}
    made = script.run(columns, rows)
    if schemas["output"]:
        made = schemas["output"].choose(made, "output")
    headers, parts = [], []
    for name, values in made.items():
        array, offsets = to_array(name, values)
        if schemas["output"]:
            array = array if offsets is not None else schemas["output"].cast(name, array)
        count = len(offsets) - 1 if offsets is not None else len(array) if array.ndim else 0
        if count != rows:
            raise StepError("Its output %r has %d rows, but the request has %d." % (name, count, rows))
        column_header, column_parts = write_column(name, array, offsets)
        headers.append(column_header)
        parts += column_parts
    return {"rows": rows, "columns": headers}, parts


def offer_mac():
    """`from mac.types import InferenceData`, which scripts use for their annotations."""
    mac, mac_types = types.ModuleType("mac"), types.ModuleType("mac.types")
    mac_types.InferenceData = typing.Dict[str, np.ndarray]
    mac.types = mac_types
    sys.modules.update({"mac": mac, "mac.types": mac_types})


def limit_tasks(tasks):
    # Older kernels count all processes of the user, whatever jail they are in.
    if tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (5, 14):
        resource.setrlimit(resource.RLIMIT_NPROC, (tasks, tasks))


def main():
    plan = json.loads(sys.argv[1])
    sys.argv = [plan["script"]]
    channel = Channel()
    # A pod that dies takes the step with it, also where no jail does.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    offer_mac()
    folder = os.path.dirname(plan["script"])
    os.chdir(folder)
    limit_tasks(plan["tasks"])
    if plan["checkMark"] is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))
    try:
        schemas = {name: plan[name + "Schema"] and Schema(plan[name + "Schema"]) for name in ("input", "output")}
        script = Script(plan["script"])
    except BaseException as error:
        if not isinstance(error, StepError):
            traceback.print_exc()
        if plan["checkMark"] is None:
            channel.send({"error": describe(error, folder)})
        else:
            print(plan["checkMark"], describe(error, folder), file=sys.stderr)
        os._exit(1)
    if plan["checkMark"] is not None:
        os._exit(0)
    channel.send({"ready": script.entry})
    while True:
        frame = channel.receive()
        if frame is None:
            os._exit(0)
        try:
            header, parts = answer(script, schemas, *frame)
            channel.send(header, parts)
        except BaseException as error:
            if not isinstance(error, StepError):
                traceback.print_exc()
            channel.send({"error": describe(error, folder)})


main()
