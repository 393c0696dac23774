/* Debian's libxml2 offers ICU's types in its header; their definitions differ from those of the ICU inside Foundation,
   and a program that imports both modules does not compile. Nothing here uses them. */
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/xmlreader.h>
