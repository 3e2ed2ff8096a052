"""Multipart forms for the tests, as any client library writes them."""


def form(fields, file_field="file", filename="rows.jsonl", data=b"", boundary="----rootstock-test"):
    """(body, headers) of a form with plain fields and one file."""
    if isinstance(data, str):
        data = data.encode()
    body = b""
    for name, value in fields.items():
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{file_field}"; filename="{filename}"\r\n'
             "Content-Type: application/octet-stream\r\n\r\n").encode() + data + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def upload(client, data, purpose="fine-tune", filename="rows.jsonl", **fields):
    body, headers = form({"purpose": purpose, **fields}, filename=filename, data=data)
    return client.call("POST", "/v1/files", body, headers)
