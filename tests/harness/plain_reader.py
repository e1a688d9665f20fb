"""The register's dialect read byte by byte from the rules of docs/design/csv-scan.md: slow, plain, and nobody else's code."""

LINE_END, QUOTE, DELIMITER = 10, 34, 59


def read(content, width):
    """(rows, [(byte offset, raw bytes)] of bad records, number of blank lines)."""
    rows, bad, blank_lines = [], [], 0
    for offset, raw, fields, broken in records(content):
        if fields == [(b"", False)] and not broken:
            blank_lines += 1
        elif broken or len(fields) != width:
            bad.append((offset, raw))
        else:
            rows.append(tuple(value.decode("latin-1") or None for value, _ in fields))
    return rows, bad, blank_lines


def records(content):
    """Each record as (byte offset, raw bytes, [(value, quoted)], whether it is broken); NUL bytes do not count."""
    places = [i for i, byte in enumerate(content) if byte] + [len(content)]
    data = content.replace(b"\0", b"")
    at = 0
    while at < len(data):
        start, fields, broken, open_record = at, [], False, True
        while open_record:
            value, quoted, fault, end, at, open_record = field(data, at)
            fields.append((value, quoted))
            broken = broken or fault
        offset = 0 if start == 0 else places[start - 1] + 1
        yield offset, content[offset:places[end]], fields, broken


def field(data, at):
    """(value, quoted, broken, end of its text, place to go on at, whether the record goes on)."""
    value, quoted = b"", data[at:at + 1] == b'"'
    if quoted:
        at += 1
        while True:
            end = data.find(b'"', at)
            if end < 0:
                return value + data[at:], True, True, len(data), len(data), False
            value += data[at:end]
            at = end + 1
            if data[at:at + 1] != b'"':
                break
            value += b'"'
            at += 1
    end = at
    while end < len(data) and data[end] not in (LINE_END, DELIMITER):
        end += 1
    at_line_end = data[end:end + 1] == b"\n"
    text_end = end - 1 if at_line_end and data[at:end].endswith(b"\r") else end
    text = data[at:text_end]
    goes_on = data[end:end + 1] == b";"
    return value + text, quoted, quoted and text != b"", text_end, end + (at_line_end or goes_on), goes_on
