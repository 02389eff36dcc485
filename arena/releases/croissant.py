"""``croissant.json``: Croissant 1.0 metadata, by which tools find the files and read their rows (https://docs.mlcommons.org/croissant/docs/croissant-spec.html)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from arena.exports.fields import Field
from arena.exports.files import Format
from arena.releases.contents import Made
from arena.releases.manifest import About, as_bytes

NAME = "croissant.json"
LICENCE_ADDRESS = "https://creativecommons.org/publicdomain/zero/1.0/"
ENCODINGS = {
    Format.JSONL: "application/jsonlines",
    Format.GZIP: "application/jsonlines",
    Format.ZSTD: "application/zstd",
    Format.PARQUET: "application/x-parquet",
}
"""What readers of Croissant know; they see for themselves that JSON lines are gzipped. None of them unpacks Zstandard."""
_READABLE = (Format.JSONL, Format.GZIP, Format.PARQUET)

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = [
    (pa.types.is_string, "sc:Text"),
    (pa.types.is_int64, "sc:Integer"),
    (pa.types.is_float64, "sc:Float"),
    (pa.types.is_boolean, "sc:Boolean"),
]


def croissant(about: About, *, description: str, citation: str) -> bytes:
    """Each file of rows as a file object and, where its format can be read, a set of records."""
    return as_bytes(
        {
            "@context": _CONTEXT,
            "@type": "sc:Dataset",
            "name": about.slug,
            "alternateName": about.name,
            "description": description,
            "conformsTo": "http://mlcommons.org/croissant/1.0",
            "license": LICENCE_ADDRESS,
            "inLanguage": "eu",
            "version": "1.0.0" if about.is_final else "0.1.0",
            "datePublished": about.held_at.date().isoformat(),
            "citeAs": citation,
            "distribution": [_file(each) for each in about.made],
            "recordSet": [_records(each) for each in about.made if each.content.form in _READABLE],
        }
    )


def _file(made: Made) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": made.content.name,
        "name": made.content.name,
        "contentUrl": made.content.name,
        "contentSize": f"{made.size_bytes} B",
        "encodingFormat": ENCODINGS[made.content.form],
        "sha256": made.sha256,
    }


def _records(made: Made) -> dict[str, Any]:
    content = made.content
    name = content.name.replace(".", "-")
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": content.layout.about,
        "field": [_field(name, content.name, each) for each in content.layout.fields],
    }


def _field(records: str, file: str, field: Field) -> dict[str, Any]:
    own = f"{records}/{field.name}"
    said: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": own,
        "name": own,
        "description": field.about,
        "source": _source(file, field.name),
    }
    kind = field.type
    if pa.types.is_list(kind):
        said["repeated"] = True
        kind = kind.value_type
    if not pa.types.is_struct(kind):
        return said | {"dataType": "sc:DateTime" if field.name == "timestamp" else _type(kind)}
    said.pop("source")
    return said | {
        "subField": [
            {
                "@type": "cr:Field",
                "@id": f"{own}/{path}",
                "name": f"{own}/{path}",
                "dataType": _type(leaf),
                "source": _source(file, field.name, path),
                **({"repeated": True} if is_many or said.get("repeated") else {}),
            }
            for path, leaf, is_many in _leaves(kind)
        ]
    }


def _source(file: str, column: str, path: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"fileObject": {"@id": file}, "extract": {"column": column}}
    return found if path is None else found | {"transform": {"jsonPath": f"$.{path}"}}


def _leaves(kind: pa.DataType, before: str = "") -> Iterator[tuple[str, pa.DataType, bool]]:
    """The plain values inside a struct by their paths, and whether there can be several of one."""
    for each in kind:
        path, inner, is_many = f"{before}{_quoted(each.name)}", each.type, False
        if pa.types.is_list(inner):
            path, inner, is_many = f"{path}[*]", inner.value_type, True
        if pa.types.is_struct(inner):
            yield from ((at, leaf, many or is_many) for at, leaf, many in _leaves(inner, f"{path}."))
        else:
            yield path, inner, is_many


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"'{name}'"


def _type(kind: pa.DataType) -> str:
    return next(word for holds, word in _TYPES if holds(kind))
