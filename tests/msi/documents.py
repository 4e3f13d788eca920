"""Small metadata files of the right structure, for tests that change one thing in them, and how to read them."""

from __future__ import annotations

from mpc.msi.metadata import read_datastrip_metadata, read_product_metadata, read_tile_metadata
from mpc.msi.records import DatastripMetadata, ProductMetadata, TileMetadata

PRODUCT_NAMESPACE = "https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd"

PRODUCT = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-1C_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd">
  <n1:General_Info>
    <Product_Info>
      <PRODUCT_START_TIME>2023-08-23T09:55:59.024Z</PRODUCT_START_TIME>
      <PRODUCT_URI>S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234.SAFE</PRODUCT_URI>
      <PROCESSING_LEVEL>Level-1C</PROCESSING_LEVEL>
      <PROCESSING_BASELINE>05.09</PROCESSING_BASELINE>
      <PRODUCT_DOI>https://doi.org/10.5270/S2_-742ikth</PRODUCT_DOI>
      <GENERATION_TIME>2023-08-23T12:02:34.000000Z</GENERATION_TIME>
      <Datatake datatakeIdentifier="GS2B_20230823T095559_033753_N05.09">
        <SPACECRAFT_NAME>Sentinel-2B</SPACECRAFT_NAME>
        <DATATAKE_TYPE>INS-NOBS</DATATAKE_TYPE>
        <DATATAKE_SENSING_START>2023-08-23T09:55:59.024Z</DATATAKE_SENSING_START>
        <SENSING_ORBIT_NUMBER>122</SENSING_ORBIT_NUMBER>
        <SENSING_ORBIT_DIRECTION>DESCENDING</SENSING_ORBIT_DIRECTION>
      </Datatake>
      <Product_Organisation>
        <Granule_List>
          <Granule datastripIdentifier="S2B_OPER_MSI_L1C_DS_2BPS_20230823T120234_S20230823T095553_N05.09"
                   granuleIdentifier="S2B_OPER_MSI_L1C_TL_2BPS_20230823T120234_A033753_T34UCF_N05.09">
            <IMAGE_FILE>GRANULE/L1C_T34UCF_A033753_20230823T095553/IMG_DATA/T34UCF_20230823T095559_B01</IMAGE_FILE>
            <IMAGE_FILE>GRANULE/L1C_T34UCF_A033753_20230823T095553/IMG_DATA/T34UCF_20230823T095559_B02</IMAGE_FILE>
          </Granule>
        </Granule_List>
      </Product_Organisation>
    </Product_Info>
    <Product_Image_Characteristics>
      <Special_Values>
        <SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>
      </Special_Values>
      <QUANTIFICATION_VALUE unit="none">10000</QUANTIFICATION_VALUE>
      <Radiometric_Offset_List>
        <RADIO_ADD_OFFSET band_id="9">-1000</RADIO_ADD_OFFSET>
        <RADIO_ADD_OFFSET band_id="0">-1000</RADIO_ADD_OFFSET>
        <RADIO_ADD_OFFSET band_id="8">-900</RADIO_ADD_OFFSET>
      </Radiometric_Offset_List>
      <Reflectance_Conversion>
        <U>0.97659423426857</U>
        <Solar_Irradiance_List>
          <SOLAR_IRRADIANCE bandId="8" unit="W/m2/um">953.93</SOLAR_IRRADIANCE>
        </Solar_Irradiance_List>
      </Reflectance_Conversion>
      <PHYSICAL_GAINS bandId="8">5.7604695</PHYSICAL_GAINS>
    </Product_Image_Characteristics>
  </n1:General_Info>
  <n1:Geometric_Info>
    <Product_Footprint>
      <Product_Footprint>
        <Global_Footprint>
          <EXT_POS_LIST>55.0 17.8 55.0 19.5 54.0 19.6 54.0 17.9 55.0 17.8 </EXT_POS_LIST>
        </Global_Footprint>
      </Product_Footprint>
    </Product_Footprint>
  </n1:Geometric_Info>
  <n1:Auxiliary_Data_Info>
    <GIPP_List>
      <GIPP_FILENAME type="GIP_ATMIMA" version="0001">S2B_OPER_GIP_ATMIMA_MPC__20170206</GIPP_FILENAME>
      <GIPP_FILENAME type="GIP_OLQCPA" version="0000">S2B_OPER_GIP_OLQCPA_MPC__20220715</GIPP_FILENAME>
    </GIPP_List>
    <PRODUCTION_DEM_TYPE>S2__OPER_DEM_GLOBEF_PDMC_19800101T000000_S19800101T000000</PRODUCTION_DEM_TYPE>
    <GRI_List><GRI_FILENAME>GRI_A</GRI_FILENAME><GRI_FILENAME>GRI_B</GRI_FILENAME></GRI_List>
    <ECMWF_DATA_REF/>
  </n1:Auxiliary_Data_Info>
  <n1:Quality_Indicators_Info>
    <Cloud_Coverage_Assessment>3.34</Cloud_Coverage_Assessment>
    <Snow_Coverage_Assessment>0.01</Snow_Coverage_Assessment>
    <Technical_Quality_Assessment>
      <DEGRADED_ANC_DATA_PERCENTAGE>0.0</DEGRADED_ANC_DATA_PERCENTAGE>
      <DEGRADED_MSI_DATA_PERCENTAGE>0</DEGRADED_MSI_DATA_PERCENTAGE>
    </Technical_Quality_Assessment>
    <Quality_Control_Checks>
      <Quality_Inspections>
        <quality_check checkType="SENSOR_QUALITY">PASSED</quality_check>
        <quality_check checkType="GEOMETRIC_QUALITY">FAILED</quality_check>
      </Quality_Inspections>
      <Failed_Inspections>
        <Datastrip_Report datastripId="S2B_OPER_MSI_L1C_DS_2BPS_20230823T120234_S20230823T095553_N05.09">
          <REPORT_FILENAME>GEOMETRIC_QUALITY.xml</REPORT_FILENAME>
        </Datastrip_Report>
      </Failed_Inspections>
    </Quality_Control_Checks>
  </n1:Quality_Indicators_Info>
</n1:Level-1C_User_Product>
"""

OLD_PRODUCT = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-1C_User_Product xmlns:n1="https://psd-12.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd">
  <n1:General_Info>
    <Product_Info>
      <PRODUCT_URI>S2A_OPER_PRD_MSIL1C_PDMC_20150818T101451_R022_V20150813T102406_20150813T102406</PRODUCT_URI>
      <PROCESSING_LEVEL>Level-1C</PROCESSING_LEVEL>
      <PROCESSING_BASELINE>02.04</PROCESSING_BASELINE>
      <{organisation}>
        <Granule_List>
          <Granules datastripIdentifier="DS_1" granuleIdentifier="TL_1" imageFormat="JPEG2000">
            <IMAGE_ID>TL_1_B01</IMAGE_ID><IMAGE_ID>TL_1_B02</IMAGE_ID>
          </Granules>
        </Granule_List>
        <Granule_List>
          <Granules datastripIdentifier="DS_1" granuleIdentifier="TL_2" imageFormat="JPEG2000">
            <IMAGE_ID>TL_2_B01</IMAGE_ID>
          </Granules>
          <Granules datastripIdentifier="DS_2" granuleIdentifier="TL_3" imageFormat="JPEG2000"/>
        </Granule_List>
      </{organisation}>
    </Product_Info>
  </n1:General_Info>
  <n1:Quality_Indicators_Info>
    <Quality_Control_Checks>
      <Quality_Inspections>
        <SENSOR_QUALITY_FLAG>PASSED</SENSOR_QUALITY_FLAG>
        <FORMAT_CORRECTNESS_FLAG>FAILED</FORMAT_CORRECTNESS_FLAG>
      </Quality_Inspections>
    </Quality_Control_Checks>
  </n1:Quality_Indicators_Info>
</n1:Level-1C_User_Product>
"""

FIRST_L2A_PRODUCT = """<n1:Level-2A_User_Product xmlns:n1="https://psd-12.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
  <n1:General_Info>
    <L2A_Product_Info>
      <PRODUCT_URI_1C>S2A_MSIL1C_20170524T102031_N0205_R065_T32TNM_20170524T102258.SAFE</PRODUCT_URI_1C>
      <PRODUCT_URI_2A>S2A_MSIL2A_20170524T102031_N0205_R065_T32TNM_20170524T102258.SAFE</PRODUCT_URI_2A>
      <PROCESSING_LEVEL>Level-2Ap</PROCESSING_LEVEL>
      <PROCESSING_BASELINE>02.05</PROCESSING_BASELINE>
      <L2A_Product_Organisation>
        <Granule_List><Granules granuleIdentifier="TL_1" datastripIdentifier="DS_1">
          <IMAGE_ID_2A>T32TNM_B02_10m</IMAGE_ID_2A>
        </Granules></Granule_List>
      </L2A_Product_Organisation>
    </L2A_Product_Info>
    <L2A_Product_Image_Characteristics>
      <L1C_L2A_Quantification_Values_List>
        <L2A_BOA_QUANTIFICATION_VALUE unit="none">1000</L2A_BOA_QUANTIFICATION_VALUE>
        <L2A_AOT_QUANTIFICATION_VALUE unit="none">1000.0</L2A_AOT_QUANTIFICATION_VALUE>
        <L2A_WVP_QUANTIFICATION_VALUE unit="cm">1000.0</L2A_WVP_QUANTIFICATION_VALUE>
      </L1C_L2A_Quantification_Values_List>
    </L2A_Product_Image_Characteristics>
  </n1:General_Info>
</n1:Level-2A_User_Product>
"""

TILE = """<n1:Level-1C_Tile_ID xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Tile_Metadata.xsd">
  <n1:General_Info>
    <TILE_ID>S2B_OPER_MSI_L1C_TL_2BPS_20230823T120234_A033753_T34UCF_N05.09</TILE_ID>
    <DATASTRIP_ID>S2B_OPER_MSI_L1C_DS_2BPS_20230823T120234_S20230823T095553_N05.09</DATASTRIP_ID>
    <DOWNLINK_PRIORITY>NOMINAL</DOWNLINK_PRIORITY>
    <SENSING_TIME>2023-08-23T10:05:35.271949Z</SENSING_TIME>
  </n1:General_Info>
  <n1:Geometric_Info>
    <Tile_Geocoding>
      <HORIZONTAL_CS_CODE>EPSG:32634</HORIZONTAL_CS_CODE>
      <Size resolution="60"><NROWS>1830</NROWS><NCOLS>1830</NCOLS></Size>
      <Size resolution="10"><NROWS>10980</NROWS><NCOLS>10980</NCOLS></Size>
      <Geoposition resolution="10"><ULX>300000</ULX><ULY>6100020</ULY><XDIM>10</XDIM><YDIM>-10</YDIM></Geoposition>
      <Geoposition resolution="60"><ULX>300000</ULX><ULY>6100020</ULY><XDIM>60</XDIM><YDIM>-60</YDIM></Geoposition>
    </Tile_Geocoding>
    <Tile_Angles>
      <Mean_Sun_Angle><ZENITH_ANGLE>44.5</ZENITH_ANGLE><AZIMUTH_ANGLE>163.2</AZIMUTH_ANGLE></Mean_Sun_Angle>
      <Viewing_Incidence_Angles_Grids bandId="8" detectorId="7">
        <Zenith><Values_List><VALUES>NaN 5.1 NaN</VALUES></Values_List></Zenith>
      </Viewing_Incidence_Angles_Grids>
      <Viewing_Incidence_Angles_Grids bandId="0" detectorId="9"/>
      <Viewing_Incidence_Angles_Grids bandId="8" detectorId="06"/>
      <Mean_Viewing_Incidence_Angle_List>
        <Mean_Viewing_Incidence_Angle bandId="9">
          <ZENITH_ANGLE>9.9</ZENITH_ANGLE><AZIMUTH_ANGLE>109.9</AZIMUTH_ANGLE>
        </Mean_Viewing_Incidence_Angle>
        <Mean_Viewing_Incidence_Angle bandId="8">
          <ZENITH_ANGLE>8.8</ZENITH_ANGLE><AZIMUTH_ANGLE>108.8</AZIMUTH_ANGLE>
        </Mean_Viewing_Incidence_Angle>
        <Mean_Viewing_Incidence_Angle bandId="0">
          <ZENITH_ANGLE>NaN</ZENITH_ANGLE><AZIMUTH_ANGLE>NaN</AZIMUTH_ANGLE>
        </Mean_Viewing_Incidence_Angle>
      </Mean_Viewing_Incidence_Angle_List>
    </Tile_Angles>
  </n1:Geometric_Info>
  <n1:Quality_Indicators_Info>
    <Image_Content_QI>
      <CLOUDY_PIXEL_PERCENTAGE>3.34</CLOUDY_PIXEL_PERCENTAGE>
      <DEGRADED_MSI_DATA_PERCENTAGE>0.0019</DEGRADED_MSI_DATA_PERCENTAGE>
      <SNOW_PIXEL_PERCENTAGE>0.01</SNOW_PIXEL_PERCENTAGE>
    </Image_Content_QI>
    <Pixel_Level_QI geometry="FULL_RESOLUTION">
      <MASK_FILENAME bandId="0" type="MSK_DETFOO">GRANULE/L1C_T34UCF/QI_DATA/MSK_DETFOO_B01.jp2</MASK_FILENAME>
      <MASK_FILENAME type="MSK_CLASSI">GRANULE/L1C_T34UCF/QI_DATA/MSK_CLASSI_B00.jp2</MASK_FILENAME>
    </Pixel_Level_QI>
    <PVI_FILENAME>GRANULE/L1C_T34UCF_A033753_20230823T095553/QI_DATA/T34UCF_20230823T095559_PVI.jp2</PVI_FILENAME>
  </n1:Quality_Indicators_Info>
</n1:Level-1C_Tile_ID>
"""

DATASTRIP = """<n1:Level-1C_DataStrip_ID xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Datastrip_Metadata.xsd">
  <n1:General_Info>
    <Datatake_Info datatakeIdentifier="GS2B_20221011T064029_029232_N04.00">
      <SPACECRAFT_NAME>Sentinel-2B</SPACECRAFT_NAME>
      <DATATAKE_TYPE>INS-NOBS</DATATAKE_TYPE>
      <DATATAKE_SENSING_START>2022-10-11T06:40:29.024Z</DATATAKE_SENSING_START>
      <SENSING_ORBIT_NUMBER>34</SENSING_ORBIT_NUMBER>
    </Datatake_Info>
    <Datastrip_Time_Info>
      <DATASTRIP_SENSING_START>2022-10-11T06:40:25.456Z</DATASTRIP_SENSING_START>
      <DATASTRIP_SENSING_STOP>2022-10-11T06:41:19.573Z</DATASTRIP_SENSING_STOP>
    </Datastrip_Time_Info>
    <Processing_Info>
      <PROCESSING_BASELINE>04.00</PROCESSING_BASELINE>
      <PROCESSING_CENTER>REFS</PROCESSING_CENTER>
      <UTC_DATE_TIME>2022-11-24T17:09:56Z</UTC_DATE_TIME>
    </Processing_Info>
    <Downlink_Info><RECEPTION_STATION>SGS_</RECEPTION_STATION></Downlink_Info>
    <PROCESSING_SPECIFIC_PARAMETERS>
      <PROCESSING_SPECIFIC_PARAMETERS>REF_TOTAL_NUMBER_ZONE=120;REF_NUMBER_VALID_ZONE=2;BINNING=true</PROCESSING_SPECIFIC_PARAMETERS>
    </PROCESSING_SPECIFIC_PARAMETERS>
  </n1:General_Info>
  <n1:Image_Data_Info>
    <Tiles_Information>
      <Tile_List><Tile tileId="TL_1"/><Tile tileId="TL_2"/></Tile_List>
    </Tiles_Information>
    <Sensor_Configuration>
      <Acquisition_Configuration>
        <COMPRESS_MODE>true</COMPRESS_MODE>
        <NUC_TABLE_ID>2</NUC_TABLE_ID>
        <TDI_Configuration_List><TDI_CONFIGURATION bandId="2">APPLIED</TDI_CONFIGURATION></TDI_Configuration_List>
        <Spectral_Band_Info>
          <Spectral_Band_Information bandId="8">
            <PHYSICAL_GAINS>5.76</PHYSICAL_GAINS><INTEGRATION_TIME unit="ms">3.3</INTEGRATION_TIME>
          </Spectral_Band_Information>
        </Spectral_Band_Info>
      </Acquisition_Configuration>
      <Source_Packet_Description>
        <Degradation_Summary degradationPercentage="0.5">
          <NUMBER_OF_LOST_PACKETS>3</NUMBER_OF_LOST_PACKETS>
          <NUMBER_OF_TOO_DEGRADED_PACKETS>2</NUMBER_OF_TOO_DEGRADED_PACKETS>
          <NUMBER_OF_KEPT_DEGRADED_PACKETS>1</NUMBER_OF_KEPT_DEGRADED_PACKETS>
        </Degradation_Summary>
      </Source_Packet_Description>
    </Sensor_Configuration>
    <Radiometric_Info>
      <SATURATED_PIXELS_PROC>true</SATURATED_PIXELS_PROC>
      <QUANTIFICATION_VALUE unit="none">10000</QUANTIFICATION_VALUE>
      <Radiometric_Offset_List><RADIO_ADD_OFFSET band_id="0">-1000</RADIO_ADD_OFFSET></Radiometric_Offset_List>
      <Reflectance_Conversion><U>1.00178336697788</U></Reflectance_Conversion>
    </Radiometric_Info>
    <Geometric_Info><RGM>COMPUTED</RGM><Image_Refining flag="NOT_REFINED"/></Geometric_Info>
  </n1:Image_Data_Info>
  <n1:Quality_Indicators_Info>
    <DEGRADED_ANC_DATA_PERCENTAGE>0.25</DEGRADED_ANC_DATA_PERCENTAGE>
  </n1:Quality_Indicators_Info>
  <n1:Auxiliary_Data_Info>
    <IERS_Bulletin><GPS_TIME_UTC unit="s">18</GPS_TIME_UTC></IERS_Bulletin>
    <GIPP_List><GIPP_FILENAME type="GIP_ATMIMA" version="0001">S2B_GIP_ATMIMA</GIPP_FILENAME></GIPP_List>
    <CAMS_DATA_REF type="FORECAST">S2__OPER_AUX_CAMSFO_ADG__20221010T120000</CAMS_DATA_REF>
  </n1:Auxiliary_Data_Info>
</n1:Level-1C_DataStrip_ID>
"""

REPORT = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Earth_Explorer_File xmlns="http://gs2.esa.int/DATA_STRUCTURE/olqcReport">
  <Earth_Explorer_Header>
    <Fixed_Header>
      <File_Name>GENERAL_QUALITY.xml</File_Name>
      <Source><System>OLQC-SC</System><Creator>OLQC-SC</Creator><Creator_Version>06.01.00</Creator_Version></Source>
    </Fixed_Header>
  </Earth_Explorer_Header>
  <Data_Block type="xml">
    <report gippVersion="1.0" globalStatus="FAILED" date="2022-11-24T19:01:13.734Z">
      <checkList>
        <parentID>S2B_OPER_GIP_OLQCPA_MPC__20220715T000042_V20220830T002500</parentID>
        <name>GENERAL_QUALITY</name>
        <version>1.0</version>
        <item class="c" className="PDI" name="S2B_OPER_MSI_L1C_DS_REFS_20221124T170956" url="u"/>
        <check>
          <inspection creation="2022-11-24T19:01:13.576Z" duration="28" execution="2022-11-24T19:01:13.699Z"
                      id="Solar_Angle_Zenith" item="MTD_TL.xml" itemURL="u" name="Check the zenith solar angle. "
                      priority="5" processingStatus="done" status="FAILED"/>
          <message contentType="text/plain">Zenith solar angle (84.1) is above the limit (82.0) </message>
          <extraValues><value name="EXPECTED">82.0</value><value name="SOLAR_ZENITH_ANGLE">84.1</value></extraValues>
        </check>
        <check>
          <inspection creation="2022-11-24T19:01:13.576Z" duration="1" execution="2022-11-24T19:01:13.699Z"
                      id="Data_Loss" item="TL" itemURL="u" name="Check TECQUA for data loss"
                      priority="5" processingStatus="aborted" status="ERROR"/>
          <message contentType="text/plain">no mask</message>
        </check>
      </checkList>
    </report>
  </Data_Block>
</Earth_Explorer_File>
"""

L2A_QUALITY = """<L2A_Quality_File xmlns="http://gs2.esa.int/DATA_STRUCTURE/l2aqiReport">
  <L2A_Quality_Header><Fixed_Header>
    <Source><Creator>Sen2Cor</Creator><Creator_Version>2.10</Creator_Version></Source>
  </Fixed_Header></L2A_Quality_Header>
  <Data_Block type="xml">
    <report gippVersion="02.10.01" globalStatus="PASSED" date="2021-12-13T00:00:00Z">
      <checkList>
        <parentID>L2A_SC</parentID><name>SCENE_CLASS_QUALITY</name><version>2.10</version><item name="TL"/>
        <check><message>Percentages</message>
          <extraValues><!-- a note --><value name="WATER_PERCENTAGE">2.0</value></extraValues></check>
      </checkList>
      <checkList>
        <parentID>L2A_AUX</parentID><name>AUX_DATA_QUALITY</name><version>2.10</version><item name="TL"/>
        <check><message>files</message>
          <extraValues><value name="AUX_DATA_FILES">['w010_n51.dt1', 'w010_n52.dt1']</value></extraValues></check>
        <check><message>again</message>
          <extraValues><value name="A">1</value><value name="A">2</value><value>3</value></extraValues></check>
      </checkList>
    </report>
  </Data_Block>
</L2A_Quality_File>
"""


def product(text: str = PRODUCT, problems: list[str] | None = None) -> ProductMetadata:
    return read_product_metadata(text.encode(), problems=problems)


def tile(text: str = TILE, problems: list[str] | None = None) -> TileMetadata:
    return read_tile_metadata(text.encode(), problems=problems)


def datastrip(text: str = DATASTRIP, problems: list[str] | None = None) -> DatastripMetadata:
    return read_datastrip_metadata(text.encode(), problems=problems)


def swapped(text: str, old: str, new: str) -> str:
    """The document with one place of it changed."""
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in the document"
    return text.replace(old, new)
