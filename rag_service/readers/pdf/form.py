"""The form of a PDF: what is filled into its fields."""

import ctypes
import re
from collections.abc import Callable

import pypdfium2
from msgspec import Struct
from pypdfium2 import raw

TICKED, NOT_TICKED = "\u2612", "\u2610"
_BOXES = (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON)
_CHOICES = (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX)
_MOST_OPTIONS = 2_000
_INDEX = re.compile(r"\[\d+\]|#subform")
"""What form designers put into names."""
_LETTER = re.compile(r"[^\W\d_]")


class Field(Struct, frozen=True, kw_only=True):
    """A field as it stands on a page."""

    name: str
    """As its author explains it, or else as the file calls it; blank where that says nothing."""
    value: str
    """Blank for an empty one. A box is ticked or not."""
    size: float
    """Of its text; 0 is as large as fits."""
    is_box: bool = False
    is_secret: bool = False
    """It shows no more than that something was typed. Its value is blank here."""


class Form:
    """Opened with its document, and to be closed before it. A document without a form has none of
    the fields."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._config = raw.FPDF_FORMFILLINFO(version=2)
        self._handle = None
        if document.get_formtype() != raw.FORMTYPE_NONE:
            self._handle = raw.FPDFDOC_InitFormFillEnvironment(document.raw, self._config)

    def close(self) -> None:
        if self._handle:
            raw.FPDFDOC_ExitFormFillEnvironment(self._handle)
            self._handle = None

    def enter(self, page: object) -> None:
        """Before its fields are asked for: PDFium knows what is ticked only then. And `leave`."""
        if self._handle:
            raw.FORM_OnAfterLoadPage(page, self._handle)

    def leave(self, page: object) -> None:
        if self._handle:
            raw.FORM_OnBeforeClosePage(page, self._handle)

    def field(self, annotation: object) -> Field | None:
        """None for buttons and signatures, which show what is drawn, and for what no form has."""
        if not self._handle:
            return None
        kind = raw.FPDFAnnot_GetFormFieldType(self._handle, annotation)
        if kind not in (raw.FPDF_FORMFIELD_TEXTFIELD, *_BOXES, *_CHOICES):
            return None
        flags = raw.FPDFAnnot_GetFormFieldFlags(self._handle, annotation)
        is_secret = kind == raw.FPDF_FORMFIELD_TEXTFIELD and bool(
            flags & raw.FPDF_FORMFLAG_TEXT_PASSWORD
        )
        size = ctypes.c_float()
        raw.FPDFAnnot_GetFontSize(self._handle, annotation, size)
        return Field(
            name=self._name(annotation, kind),
            value=self._value(annotation, kind),
            size=size.value,
            is_box=kind in _BOXES,
            is_secret=is_secret,
        )

    def _name(self, annotation: object, kind: int) -> str:
        name = wide_string(raw.FPDFAnnot_GetFormFieldAlternateName, self._handle, annotation)
        if not name:
            path = wide_string(raw.FPDFAnnot_GetFormFieldName, self._handle, annotation)
            name = _INDEX.sub("", path).rsplit(".", 1)[-1].replace("_", " ")
        if kind == raw.FPDF_FORMFIELD_RADIOBUTTON:
            choice = wide_string(raw.FPDFAnnot_GetFormFieldExportValue, self._handle, annotation)
            name = f"{name} {choice}"
        return name.strip() if _LETTER.search(name) else ""

    def _value(self, annotation: object, kind: int) -> str:
        if kind in _BOXES:
            return TICKED if raw.FPDFAnnot_IsChecked(self._handle, annotation) else NOT_TICKED
        if kind in _CHOICES:
            options = raw.FPDFAnnot_GetOptionCount(self._handle, annotation)
            chosen = [
                wide_string(raw.FPDFAnnot_GetOptionLabel, self._handle, annotation, option)
                for option in range(min(options, _MOST_OPTIONS))
                if raw.FPDFAnnot_IsOptionSelected(self._handle, annotation, option)
            ]
            if any(chosen):
                return ", ".join(filter(None, chosen))
        return wide_string(raw.FPDFAnnot_GetFormFieldValue, self._handle, annotation)


def wide_string(call: Callable[..., int], *arguments: object) -> str:
    """What one of PDFium's functions writes in UTF-16 that is asked for its length first."""
    length = call(*arguments, None, 0)
    if length <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length)
    call(*arguments, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return buffer.raw[: length - 2].decode("utf-16-le", errors="replace")
