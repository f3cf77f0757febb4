/* SPDX-License-Identifier: MIT */
/* The few things that Pipit itself says on a screen. In the program, so that no file can be missing when
 * there is something to tell. */
#include "app/names.h"

#include <string.h>

static const struct {
    const char *language;
    const char *text[PHRASES];
} spoken[] = {
    {"en",
     {"Not sure", "No camera", "The camera is in use", "No permission for the camera",
      "The camera has stopped", "The camera cannot do that", "No model", "Recognition has stopped",
      "Another model takes its place", "The settings have a mistake"}},
    {"de",
     {"Nicht sicher", "Keine Kamera", "Die Kamera ist belegt", "Kein Zugriff auf die Kamera",
      "Die Kamera ist stehen geblieben", "Das kann die Kamera nicht", "Kein Modell",
      "Die Erkennung ist stehen geblieben", "Ein anderes Modell springt ein",
      "Die Einstellungen haben einen Fehler"}},
    {"fr",
     {"Pas sûr", "Pas de caméra", "La caméra est occupée", "Pas d’accès à la caméra",
      "La caméra s’est arrêtée", "La caméra ne peut pas faire cela", "Pas de modèle",
      "La reconnaissance s’est arrêtée", "Un autre modèle le remplace",
      "Les réglages contiennent une erreur"}},
    {"es",
     {"No es seguro", "Sin cámara", "La cámara está en uso", "Sin permiso para la cámara",
      "La cámara se ha detenido", "La cámara no puede hacerlo", "Sin modelo",
      "El reconocimiento se ha detenido", "Otro modelo ocupa su lugar", "Hay un error en los ajustes"}},
};

const char *phrase_in(const char *language, enum phrase phrase)
{
    size_t length = strcspn(language, "_");
    for (size_t i = 0; i < sizeof(spoken) / sizeof(spoken[0]); i++)
        if (strlen(spoken[i].language) == length && !strncmp(spoken[i].language, language, length))
            return spoken[i].text[phrase];
    return spoken[0].text[phrase];
}
