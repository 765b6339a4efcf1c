"""Weather from the outside: PVGIS and NASA POWER by way of pvlib, Open-Meteo over HTTP."""
